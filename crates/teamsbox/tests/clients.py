"""The official Microsoft clients against teamsbox: a token with msal, presence read and set with msgraph-sdk.

Arguments: the base URL of teamsbox, the file with its authority's certificate, a tenant, a user's object id.
"""

import os

# What this machine trusts and how it reaches the world must not matter: `requests` prefers these to its arguments.
for name in list(os.environ):
    if name.upper() in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR") or name.upper().endswith("_PROXY"):
        del os.environ[name]

import asyncio
import ssl
import sys
import time

import httpx
import msal
from azure.core.credentials import AccessToken
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.communications.get_presences_by_user_id.get_presences_by_user_id_post_request_body import (
    GetPresencesByUserIdPostRequestBody,
)
from msgraph.generated.users.item.presence.set_presence.set_presence_post_request_body import (
    SetPresencePostRequestBody,
)

BASE, AUTHORITY_FILE, TENANT, USER = sys.argv[1:5]
CLIENT_ID = "22553876-f5ab-4529-bffb-cfe50aa89f87"
SCOPES = ["https://graph.microsoft.com/.default"]


class MsalCredential:
    """Hands msal's tokens to msgraph-sdk."""

    def __init__(self):
        self.app = msal.ConfidentialClientApplication(
            CLIENT_ID,
            client_credential="teamsbox-secret",
            authority=f"{BASE}/{TENANT}",
            instance_discovery=False,
            verify=AUTHORITY_FILE,
        )

    def get_token(self, *scopes, **_):
        result = self.app.acquire_token_for_client(scopes=SCOPES)
        assert "access_token" in result, result
        return AccessToken(result["access_token"], int(time.time()) + result["expires_in"])


async def main():
    trust = ssl.create_default_context(cafile=AUTHORITY_FILE)
    http = httpx.AsyncClient(verify=trust, base_url=f"{BASE}/v1.0", timeout=30)
    host = BASE.split("://")[1].split(":")[0]
    provider = AzureIdentityAuthenticationProvider(MsalCredential(), scopes=SCOPES, allowed_hosts=[host])
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{BASE}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)

    before = await graph.users.by_user_id(USER).presence.get()
    print("before", before.availability, before.activity)
    body = SetPresencePostRequestBody(
        session_id=CLIENT_ID, availability="Busy", activity="InACall"
    )
    await graph.users.by_user_id(USER).presence.set_presence.post(body)
    after = await graph.users.by_user_id(USER).presence.get()
    print("after", after.availability, after.activity)
    bulk = GetPresencesByUserIdPostRequestBody(ids=[USER])
    many = await graph.communications.get_presences_by_user_id.post(bulk)
    print("bulk", many.value[0].availability, many.value[0].activity)
    people = await graph.users.get()
    print("people", len(people.value))
    try:
        body.availability = "Busy"
        body.activity = "Busy"
        await graph.users.by_user_id(USER).presence.set_presence.post(body)
    except APIError as error:
        print("refused", error.response_status_code, error.error.code)

    public = msal.PublicClientApplication(
        CLIENT_ID, authority=f"{BASE}/{TENANT}", instance_discovery=False, verify=AUTHORITY_FILE
    )
    flow = public.initiate_device_flow(scopes=["Presence.Read"])
    async with httpx.AsyncClient(verify=trust) as browser:
        answer = {"userCode": flow["user_code"], "user": USER, "action": "allow"}
        (await browser.post(f"{BASE}/box/v1/device", json=answer)).raise_for_status()
    mine = public.acquire_token_by_device_flow(flow)
    assert "access_token" in mine, mine
    print("device", mine["id_token_claims"]["oid"])
    account = public.get_accounts()[0]
    again = public.acquire_token_silent(["Presence.Read"], account=account, force_refresh=True)
    assert "access_token" in again, again
    print("refreshed", account["username"])


asyncio.run(main())
