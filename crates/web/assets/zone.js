// The server draws days in the zone of the reader, once it knows the zone: from then on from a cookie, now by a second look.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const isKnown = () => document.cookie.includes(`offhook_zone=${zone}`);
if (zone && document.body.dataset.zone !== zone && !isKnown()) {
  document.cookie = `offhook_zone=${zone}; Path=/; SameSite=Lax; Max-Age=31536000${location.protocol === "https:" ? "; Secure" : ""}`;
  if (isKnown() && document.body.dataset.fresh !== undefined) {
    location.reload();
  }
}
