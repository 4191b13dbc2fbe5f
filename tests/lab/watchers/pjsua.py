"""A telephone of the PJSIP family registers and watches somebody's presence, over TLS.

    python pjsua.py PORT AUTHORITY USER PASSWORD DOMAIN TARGET

Prints how it is registered, and a line for each change: the status, the activity and the words. Ends with its standard input.
"""

import sys
import threading

import pjsua2 as pj

port, authority, user, password, domain, target = sys.argv[1:]
# What PJSIP makes of the activities of RFC 4480.
ACTIVITIES = {pj.PJRPID_ACTIVITY_UNKNOWN: "unknown", pj.PJRPID_ACTIVITY_AWAY: "away", pj.PJRPID_ACTIVITY_BUSY: "busy"}


class Buddy(pj.Buddy):
    def onBuddyState(self):
        info = self.getInfo()
        status = info.presStatus
        online = "online" if status.status == pj.PJSUA_BUDDY_STATUS_ONLINE else "offline"
        if info.subState == pj.PJSIP_EVSUB_STATE_ACTIVE:
            print(online, ACTIVITIES.get(status.activity, status.activity), status.note, flush=True)


class Account(pj.Account):
    def onRegState(self, registered):
        print("registered", registered.code, flush=True)


endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
config.uaConfig.threadCnt = 0
endpoint.libInit(config)
transport = pj.TransportConfig()
transport.boundAddress = "127.0.0.1"
transport.tlsConfig.CaListFile = authority
transport.tlsConfig.verifyServer = True
endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, transport)
endpoint.libStart()
account_config = pj.AccountConfig()
account_config.idUri = f"sip:{user}@{domain}"
account_config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
account_config.sipConfig.proxies.append(f"sip:127.0.0.1:{port};transport=tls;lr")
account_config.regConfig.registrarUri = f"sip:{domain}"
account = Account()
account.create(account_config)
buddy_config = pj.BuddyConfig()
buddy_config.uri = f"sip:{target}@{domain}"
buddy_config.subscribe = True
buddy = Buddy()
buddy.create(account, buddy_config)

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
while not ended.is_set():
    endpoint.libHandleEvents(50)
del buddy
endpoint.libDestroy()
