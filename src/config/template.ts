// The file that `icon init` writes. It is valid as it stands, for a source on this host, and names every key there is.

export const configTemplate = `# Configuration of one ICON instance. docs/configuration.md says more about each key.
# Judge this file with: icon validate --config icon.toml
# A line that begins with # shows a key with its default, or an example where there is none.
# Relative paths start at the folder of this file.

[instance]
# Name of this instance, in logs, metrics and on the status page.
name = "icon-a"
# DBID of this ICON application. The other instance of an HA pair has another one.
dbid = 9001
# Folder of the persistent queue and, unless [idb] says otherwise, of the IDB.
data_dir = "data"

[callconcentrator]
# What is stored: "all", or a comma list of cfg, gcc, gls, gud, gos, lrm; ~x is everything but x.
# This version writes rows for gcc (interactions and parties), gls (login sessions and agents' states) and gud (attached data).
role = "gcc,gls"
# After-call work belongs to the call that made the agent busy (1), or to the last one (0). A switch may say otherwise.
#gls-acw-first = 0
# Agents' reasons that hold now in a table of their own, G_AGENT_STATE_RC_A: 1 yes, 0 no.
#gls-active-reason-codes = 0
# Which keys of attached data are stored, and where: the original's ccon_adata_spec.xml, or the same as TOML.
#adata-spec-name = "ccon_adata_spec.xml"
# Which values are stored of keys in UserData that are not in it: none, first, last or all.
#adata-userdata-history = "none"
# Longer values are cut, characters.
#max-userdata-length = 255
# 1: who released a call and its parties is stored too.
#store-releasing-party = 1
# 1: routings that did not send the call on have a result too.
#extended-route-result = 1
# 1: that whoever is called is busy is a row of the caller's G_PARTY_HISTORY.
#dest-busy-processing = 1
# Switches whose calls this instance does not record: the other end of a link to one of them is not waited for.
#remote-locations = []
# How long the other end of a link between sites is waited for.
#is-link-timeout = "1h"
# 1: whoever comes to a conference in one step descends from whoever brought him, also where only other members tell.
#ssc-processing = 1

[filter-data]
# 1: observers are not stored; parties outside of the switch are not stored.
#observer-party = 0
#external-party = 0
# 1: no statistics of stays in queues; no history of them, and no statistics either.
#acd-party-metrics = 0
#acd-party-history = 0
# 1: no statistics of calls.
#call-metrics = 0
# 1: agents' rows do not tell the queues where they are logged in; one row for each DN and change, not for each queue.
#gls-queue = 0

[custom-states]
# Which data of user events is stored in G_CUSTOM_DATA_S: none, all, or the keys that EventData names (conf).
#store-event-data = "none"
# Lists of types and keys; what is stored is text.
#EventData = "char,CUSTOMER_NAME,int,CUSTOMER_PHONE"
# Likewise which of their Extensions: none, all, or the keys that EventExtensions names (conf).
#store-event-extensions = "none"
#EventExtensions = "char,MonitoringMode"
# Keys whose values are stored in G_CUSTOM_DATA_P.
#GlobalData = "char,SITE"
# States of agents: a code from 200 on, and the key that begins it with "+" and ends it with "-".
#AgentRecordUserTypes = "200,Research"
# What is stored with a state: type, field, key.
#AgentUserFields = "char,TOPIC,ResearchTopic"
# So many calls are remembered of each DN, for what is sent after they have ended.
#max-party-info = 16

[queue]
# Size of one file of the persistent queue.
#segment_bytes = "64MiB"
# Records whose rows are in the IDB are kept this long, so that an IDB can be rebuilt from them ...
#retention_age = "7d"
# ... but no more than this. What is not in the IDB yet is never deleted.
#retention_bytes = "20GiB"
# What it leaves free on its disk, so that the IDB can still take rows from it when the disk is full.
#reserve = "64MiB"

[idb]
# The Interaction Database. Default: idb.db in data_dir.
#path = "data/idb.db"
# Length of a window of the ledger; decides only when an IDB is made.
#window = "60s"
# What its WAL may grow to while somebody reads the IDB in one long transaction; then rows wait in the persistent queue.
#wal_limit = "4GiB"
# How often all of it is read for damage that nobody has met yet, or "off".
#check_every = "24h"

[purge]
# Calls and login sessions that ended longer ago than this, by whole days, are deleted from the IDB; "off": never.
#keep = "off"
# At which time of day, UTC.
#at = "02:30"
# Also what the other instance of the pair is not known to hold, or to have purged itself.
#even_if_only_copy = false

[http]
# Status page, metrics and API, or "off". An address that other hosts can reach needs tokens, and TLS.
#listen = "127.0.0.1:8080"
# By which names others call this host; a request for another one is refused.
#names = []
# Who may ask: the file that icon token add makes. Without it, whoever is on this host.
#tokens = "icon.tokens"
# HTTPS: the certificate with its chain, and its private key.
#tls_certificate = "icon.pem"
#tls_key = "icon.key"
# Other hosts without TLS, because what lies between is safe otherwise. Tokens are needed all the same.
#plaintext = false
# The other instance of the pair, asked by the page, the read API and icon stop-safe only, with a token of its own that
# may read; and the authority of its certificate, where the runtime does not know it.
#peer = "https://icon-b.example.com:8443"
#peer_token_file = "icon-b.token"
#peer_ca_file = "authority.pem"

[log]
# error, warn, info or debug; to standard error, as JSON lines.
#level = "info"

# One section per data source. A primary and its backup are one source with two addresses.
[[source]]
name = "north"
# tevent: T-Server, Interaction Server, OCS or Configuration Server over the T-Event link. ami: Asterisk's manager.
kind = "tevent"
addresses = ["127.0.0.1:7001"]
# DBID of the server's application, of the primary of the pair (default: dbid), and of its switch.
dbid = 101
#primary_dbid = 101
switch_dbid = 1
# TServer, InteractionServer, OCServer or ConfigurationServer.
#type = "TServer"
# A file that holds the token alone, where the server wants one; nobody but the instance's user may read it.
#token_file = "north.token"
# DNs that are virtual queues though their events do not say so; * stands for any letters.
#virtual_queues = []
# TLS, where the server speaks it; [source.tls] below says more than true.
#tls = false
# Silence after which the link counts as dead. Default: three of the source's heartbeats.
#silence = "30s"
# Pause before connecting again: the first one, and the longest it grows to.
#reconnect_min = "500ms"
#reconnect_max = "30s"

[source.gts]
# Seconds of the source's time for which a call that has ended still takes late events; then its ending is written.
#call-deletion-timeout = 30
# From when on whom a call out of the switch goes to is alerting: from EventDialing (0), EventNetworkReached (1) or
# EventEstablished (2); 3: nobody outside of the switch is stored.
#delivered-flag = 0
# gls-acw-first of this switch; -1: as [callconcentrator] says.
#gls-acw-first = -1
# Whether a call during after-call work makes the agent busy (1), or leaves the after-call work as it is (0).
#gls-enable-acw-busy = 1
# After so many seconds a login session ends that was left open: since its login, and since anything of it changed; 0: never.
#gls-max-duration = 0
#gls-max-inactivity = 0

# TLS instead of tls = true: whom to believe, this instance's own certificate for a server that asks for one, and the
# name in the server's certificate where it is not the host of the address.
#[source.tls]
#ca_file = "authority.pem"
#cert_file = "icon.pem"
#key_file = "icon.key"
#server_name = "tserver-north.example.com"

# An Asterisk, seen through its manager interface.
#[[source]]
#name = "asterisk"
#kind = "ami"
#addresses = ["127.0.0.1:5038"]
#dbid = 102
#switch_dbid = 2
# A file with two lines, username = "..." and secret = "..."; chmod 600.
#credentials_file = "asterisk.credentials.toml"
# Dialplan contexts in which calls begin, by the direction of those calls.
#inbound_contexts = ["from-trunk"]
#internal_contexts = ["from-internal"]
#outbound_contexts = ["to-trunk"]
`;

/** The section of a key that is named as this one is, or null. */
export function sectionOfKey(key: string): string | null {
  let section: string | null = null;
  for (const line of configTemplate.split("\n")) {
    section = /^#?\[+(.+?)\]+$/.exec(line)?.[1] ?? section;
    if (/^#?([\w-]+) = /.exec(line)?.[1] === key) return section;
  }
  return null;
}
