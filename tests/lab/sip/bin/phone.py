#!/usr/bin/env python3
"""Drives one baresip over its ctrl_tcp module (JSON in netstrings).
   phone.py CTRLPORT COMMAND [PARAMS]     any baresip command: dial sip:1002@pbx.test, accept, hangup, reginfo, hold, resume, transfer URI ...
   phone.py CTRLPORT events [SECONDS]     prints events as JSON lines
   phone.py CTRLPORT wait-registered SECONDS
   phone.py CTRLPORT accept-when-ringing SECONDS"""
import json, socket, sys, time

class Phone:
    def __init__(self, port, timeout=5):
        end = time.time() + timeout
        while True:
            try: self.s = socket.create_connection(("127.0.0.1", port), 2); break
            except OSError:
                if time.time() > end: raise
                time.sleep(0.1)
        self.buf = b""; self.pending = []; self.n = 0
    def _read(self, timeout):
        end = time.time() + timeout
        while True:
            c = self.buf.find(b":")
            if c > 0:
                n = int(self.buf[:c])
                if len(self.buf) >= c + 1 + n + 1:
                    m = self.buf[c+1:c+1+n]; self.buf = self.buf[c+2+n:]
                    return json.loads(m)
            left = end - time.time()
            if left <= 0: return None
            self.s.settimeout(left)
            try: d = self.s.recv(65536)
            except socket.timeout: return None
            if not d: raise EOFError("phone closed the control connection")
            self.buf += d
    def cmd(self, command, params="", timeout=5):
        self.n += 1; tok = f"t{self.n}"
        m = json.dumps({"command": command, "params": params, "token": tok}).encode()
        self.s.sendall(str(len(m)).encode() + b":" + m + b",")
        end = time.time() + timeout
        while time.time() < end:
            r = self._read(end - time.time())
            if r is None: break
            if r.get("response") and r.get("token") == tok: return r
            self.pending.append(r)
        raise TimeoutError(command)
    def event(self, timeout):
        if self.pending: return self.pending.pop(0)
        return self._read(timeout)
    def wait(self, *types, timeout=10):
        end = time.time() + timeout
        while time.time() < end:
            e = self.event(max(0.0, end - time.time()))
            if e and e.get("type") in types: return e
        return None

def main():
    port, c = int(sys.argv[1]), sys.argv[2]
    p = Phone(port)
    if c == "events":
        end = time.time() + float(sys.argv[3] if len(sys.argv) > 3 else 3600)
        while time.time() < end:
            e = p.event(end - time.time())
            if e: print(json.dumps({"at": round(time.time(), 3), **e}), flush=True)
    elif c == "wait-registered":
        end = time.time() + float(sys.argv[3])
        while time.time() < end:
            if "OK" in p.cmd("reginfo").get("data", ""): print("registered"); return
            time.sleep(0.1)
        sys.exit("not registered")
    elif c == "accept-when-ringing":
        end = time.time() + float(sys.argv[3])
        while time.time() < end:
            if "INCOMING" in p.cmd("listcalls").get("data", "").upper():
                sys.exit(0 if p.cmd("accept").get("ok") else 1)
            time.sleep(0.05)
        sys.exit("does not ring")
    else:
        r = p.cmd(c, " ".join(sys.argv[3:])); print(json.dumps(r)); sys.exit(0 if r.get("ok") else 1)
if __name__ == "__main__": main()
