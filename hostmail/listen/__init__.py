"""ACCEPT: ports, TLS with the certificate for the name asked for, and proxies that tell who the client is.

`ports` opens everything before privileges drop, `tls` chooses certificates, `proxy` reads PROXY headers, `draining` ends sessions well.
"""
