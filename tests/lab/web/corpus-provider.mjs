// A small provider of OpenID Connect that plays the folders of tests/corpus/identity-providers which deviate from `plain`:
// their addresses and dates are made to be here and now. POST /play/FOLDER chooses the folder.
import { createHmac, createPrivateKey, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const [corpus] = process.argv.slice(2);
// When people of the corpus sign in.
const then = 1796025600;
// The same as in the server's tests of the corpus.
const secret = "GOCSPX-p_~.*+ /&=%:ü";
let folder = "plain";
let nonce = "";
let readings = 0;
let origin = "";

const path = (file) => {
  const own = `${corpus}/identity-providers/${folder}/${file}`;
  return existsSync(own) ? own : `${corpus}/identity-providers/plain/${file}`;
};
const text = (file) =>
  existsSync(path(file)) ? readFileSync(path(file), "utf8").replaceAll("https://login.example.com", origin) : null;
const shifted = (value) => {
  const moved = Number(value) + Math.floor(Date.now() / 1000) - then;
  return typeof value === "string" ? (Number.isNaN(moved) ? value : String(moved)) : moved;
};
const signed = (file) => {
  const token = JSON.parse(text(file));
  if (token.raw) return token.raw;
  const { header, claims } = token;
  for (const name of ["exp", "iat", "nbf"]) if (claims[name] != null) claims[name] = shifted(claims[name]);
  if (claims.nonce === "n-0S6_WzA2Mj") claims.nonce = nonce;
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const message = `${part(header)}.${part(claims)}`;
  const key = readFileSync(`${corpus}/signing-keys/${token.signed_with}`);
  if (header.alg === "none") return `${message}.`;
  if (header.alg === "HS256") return `${message}.${createHmac("sha256", key).update(message).digest("base64url")}`;
  if (header.alg !== "RS256") throw new Error(`${folder}: ${header.alg} is tried in the server's tests only`);
  return `${message}.${sign("sha256", Buffer.from(message), createPrivateKey(key)).toString("base64url")}`;
};
const way = (authorization, form) => {
  const basic = /^Basic (.*)$/.exec(authorization ?? "");
  if (basic) {
    const [, encoded] = Buffer.from(basic[1], "base64").toString("utf8").split(":");
    return new URLSearchParams(`secret=${encoded}`).get("secret") === secret ? "client_secret_basic" : "wrong";
  }
  return form.get("client_secret") === secret ? "client_secret_post" : "wrong";
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, origin);
  let body = "";
  for await (const chunk of request) body += chunk;
  const say = (status, type, content) => response.writeHead(status, { "content-type": type }).end(content);
  const json = (content) => say(200, "application/json", content);
  if (url.pathname.startsWith("/play/")) {
    folder = url.pathname.slice("/play/".length);
    readings = 0;
    return json("{}");
  }
  switch (url.pathname) {
    case "/.well-known/openid-configuration":
      return json(text("discovery.json"));
    case "/keys":
      readings += 1;
      return json((readings > 1 && text("keys-later.json")) || text("keys.json"));
    case "/authorize": {
      nonce = url.searchParams.get("nonce");
      const back = new URL(url.searchParams.get("redirect_uri"));
      back.search = new URLSearchParams({ code: "a-code", state: url.searchParams.get("state") });
      return response.writeHead(302, { location: back.href }).end();
    }
    case "/token": {
      const used = way(request.headers.authorization, new URLSearchParams(body));
      const registered = JSON.parse(text("answers.json") ?? "{}").client_authentication ?? used;
      const accepted = used === registered && used !== "wrong";
      return accepted
        ? json(text("token-answer.json").replace("ID TOKEN", signed("id-token.json")))
        : say(401, "application/json", JSON.stringify({ error: "invalid_client" }));
    }
    case "/userinfo":
      if (request.headers.authorization !== "Bearer an-access-token") return say(401, "text/plain", "");
      return existsSync(path("userinfo-token.json"))
        ? say(200, "application/jwt", signed("userinfo-token.json"))
        : json(text("userinfo.json"));
    default:
      return say(404, "text/plain", "");
  }
});
server.listen(0, "127.0.0.1", () => {
  origin = `http://127.0.0.1:${server.address().port}`;
  console.log(origin);
});
