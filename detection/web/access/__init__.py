"""Who may use the site. On the loopback address everybody who can reach it; elsewhere who knows the passphrase.

`exposure` says whether the site can be reached from other machines, `middleware` decides each request, `passphrase`,
`tokens` and `attempts` are what it decides by, `audit` writes down who changed what.
"""
