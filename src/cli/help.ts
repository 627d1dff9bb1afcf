// Command line: what it can do, in words.

const usage = `Latchkey: login sessions that can be revoked at once.

Usage: latchkey [command] [options]

Commands:
  start                      start the service (also without a command)
  import [options]           take over accounts and sessions of an older service
  role <email> <user|admin>  set the role of an account

Options:
  -h, --help                 this text; after a command: more about that command
  -v, --version              the version

The configuration is that of the service: the environment, and .env in the working folder (docs/configuration.md).
Exit code: 0 done, 1 failed, 2 called in a way that it does not know, 3 imported with something left behind.`

const start = `Usage: latchkey start

Starts the service in the foreground, and ends it cleanly at SIGTERM or SIGINT. Without MONGODB_URI it keeps its records in
an embedded store in DATA_DIR. With WORKERS above 1 several processes serve the port together.`

const importing = `Usage: latchkey import --from <uri> [options]
       latchkey import --users <file> --sessions <file> [options]

Takes over the accounts and sessions of an older service, into the store that the service is configured for. Nothing that is
there already is changed, so it can be run again: it goes on where it stopped, and takes what has come since.

Where they come from:
  --from <uri>                  MongoDB of the older service; only read
  --users-collection <name>     its accounts (default: users)
  --sessions-collection <name>  its sessions (default: usersession)
  --users <file>                accounts as mongoexport writes them: one document on each line, or a JSON array
  --sessions <file>             sessions, likewise; each needs \`token\`
                                (a file goes before the collection of --from)
Options:
  --dry-run                     report the same and write nothing
  -h, --help                    this text

Accounts keep their ids (an ObjectId as its 24 hexadecimal characters), addresses, names, roles, preferences and bcrypt
hashes. Of a session's token only the hash is kept; with LEGACY_TOKENS=on the token is admitted until its end.
What is left behind is named on standard output with its reason, by id. See docs/migration.md.

Exit code: 0 everything is here, 3 something was left behind, 1 it failed: run it again.`

const role = `Usage: latchkey role <email> <user|admin>

Sets the role of the account with this e-mail address. Running instances are told; nobody is logged out. With the embedded
store the service has to be stopped meanwhile.`

export const help = Object.freeze({ usage, start, import: importing, role })
