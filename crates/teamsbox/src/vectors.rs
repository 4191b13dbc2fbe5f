//! Published test vectors, made for this project with a throw-away key.

/// A self-signed certificate, RSA of 2,048 bits.
pub(crate) const CERTIFICATE: &str = "MIIDITCCAgmgAwIBAgIUGa/ZfeUNMwSeMDrIgJKvs0CFANIwDQYJKoZIhvcNAQELBQAwHzEdMBsGA1UEAwwUcHJlc2VuY2UtdGVzdC12ZWN0b3IwIBcNMjYxMTIzMDkyNzQxWhgPMjEyNjEwMzAwOTI3NDFaMB8xHTAbBgNVBAMMFHByZXNlbmNlLXRlc3QtdmVjdG9yMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0mRORPkLESw5YfXofdjuaTo5kPVVmfFq3kyPwE0hFZp8yyAB1BmGik9+/hzH5HBWwUZ1F8xMJdlvZSQ/aPVRXc1W6KGiT/5MxfLv2yK52je3i0bZug5Yup9f0xr4SS4YvdFcuYtINHsWDCW3O35mxAyyuGGk5eUpeVjYMZIzZrJUb0wHMzEVLd6ATRXq/XJXx+6WCzQ9uffFIukawwZfnWWPH2ybH9mT9NwaGGKy9dDQJFptRQj2MP0dlv2PZb8Flqh+kZo9DDlT8IQcBRd0MdN6X7yJUyExDK8RHz+Ov2+XH2aRSsOZ36EkEKBpJunC113W+LON3siD5xnWU40xIwIDAQABo1MwUTAdBgNVHQ4EFgQUlZH3c1NNTYzo4KmQH5M7Cexb2fswHwYDVR0jBBgwFoAUlZH3c1NNTYzo4KmQH5M7Cexb2fswDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAYeZid78fBX9kd8q2pLOsQDwb4jAw3Tp7ETAVxkofBCjd3vF187/mKZDSYYngImz0Uz0GAlY6l41eG6tYrlGOMepe0Vs2FfOYX1kKAZhXSB4RkKlWt6Dp4KrCgJZoJmY9Ee/YnbnaC/GCbpdnfa3QbKue/304l5yV67ClpKhKp26wnEHXXZYZNLBB8W0n3jroMA2FwXTUGJk9QZhx/UY9vt/atQVq5Ftzy3SnHBkzNMdDBGbsBCU0EmhvvFhB62z0vSdMOQMbAhMnHdEYij02CeVD3qe4RA0SFiYQRPBuX2zwoSQeGQcF1+IvZS0iDr20vmWYPaFrpf//mg/YmOgnMA==";
/// The text that [`DATA`] holds.
pub(crate) const PLAINTEXT: &str = r##"{"@odata.id":"users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence","@odata.type":"#microsoft.graph.presence","id":"fa8bf3dc-eca7-46b7-bad1-db199b62afc3","availability":"Busy","activity":"InACall"}"##;
/// [`PLAINTEXT`] under the key of the bytes 0 to 31.
pub(crate) const DATA: &str = "nTMpSZJYXuOeut0pe+fp1nfzp7NbjKiPmKZaGuZ2HGa+aZ2vpu4cysR6dJvi7EMkAXManxDIEicCZURNZgFWLOPo2+ZaG7QAmuhQZapqzQakUvSGW5p0eZ9SVaN9HAXH1FrIdXrU13cpXv+I33Z7qzFuIKKjNXd74uVHGNpi1on+kpdQIsHgbEjxQ08xB5nBdDMSoraX7GEkJvcE8nN8HXxl6/sEo4LY8a/gg3m74C8l5ClDPccdff/QvyNtFr4CyxDpgzZ2PfMHppm6mixdgg==";
/// The signature of [`DATA`].
pub(crate) const SIGNATURE: &str = "YDYW1lJClq7LSpenQlnhOtMvpQ5WxWDbBCqFH98wj54=";
