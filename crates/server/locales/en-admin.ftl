# The words of the administrator's pages. Keys are the same in all languages.

nav-overview = Overview
nav-people = People
nav-scopes = Locations and groups
nav-templates = Profile templates
nav-microphone = Microphone Sync
nav-workgroups = Workgroups
nav-tenants = Teams tenants
nav-telephony = Telephone systems
nav-accounts = Accounts
nav-keys = API keys
nav-audit = Audit log
nav-backup = Backup

# Overview
health = Health
health-well = all is well
health-ill =
    { $count ->
        [one] { $count } part is in trouble
       *[other] { $count } parts are in trouble
    }
health-none = Nothing is connected yet.
health-part = Part
health-state = State
health-what = What is wrong
health-remedy = What to do
part-well = well
part-ill = in trouble
connected = Connected: everything answers
not-connected = In trouble: { $name }
overview-streams = Open boards and clients
overview-agents = Connected desktop agents
overview-writes = Writes that wait for Teams
overview-statuses = People by status
overview-unmatched = People who are to be synchronised, but have no Teams account
overview-all-matched = Everybody who is to be synchronised has a Teams account.
latency-pbx = From the telephone system’s event to the request to Teams
latency-teams = From Teams’ answer to the board
latency-write-wait = Writes to Teams: time spent in the queue
latency-budget = Reads of Teams: time spent waiting for the request limit
latency-is = { $name }: { $value }
latency-percentiles = half within { $count }, 99 of 100 within { $value }
latency-none = { $name }: nothing yet
latency-bound = Took at most
latency-count = How often

# People
people-search = Name, mail address or extension
people-none = Nobody is called like that.
person-add = Add a person
accounts-search = Teams accounts
accounts-search-about = Accounts of new people are found within 10 minutes. Search now if you have just added one in Microsoft 365.
accounts-search-now = Check for new accounts now
accounts-search-running = The search goes on. Search again to see the rest.
accounts-found = Accounts found
accounts-found-none = No new accounts.
accounts-without = People without a Teams account: { $count }
person-edit = Names and lines
person-mail = Mail address
person-upn = Sign-in name at Microsoft
person-upn-help = Usually like a mail address. By it, or by the mail address, the Teams account is found.
person-lines = Extensions
person-lines-help = Several between commas.
person-identity-help = Only system administrators can change it: by it a sign-in, a Teams account or a phone is assigned to the person.
person-place = Location and group
person-linked = linked
person-unlinked = not linked
person-object-id = Account
person-link = Connect another account
person-link-help = The object id or the sign-in name, as Entra shows it under Users. For people whose account has neither their mail address nor their sign-in name.
person-sharing = Who sees what of this person
person-account-hidden = Whose Teams account this is, is for system administrators to see.
person-delete = Delete the person
person-delete-sure = Delete { $name } with everything that is theirs? What Offhook wrote to Teams is taken back first.
tenant = Tenant
teams-disconnect-sure = Disconnect this account? Nothing crosses between Teams and Offhook then.
import-heading = Import people from a table
import-file = CSV file
import-file-help = CSV or text from Excel, with commas, semicolons or tabs. Encoding and separator are detected.
import-csv = Or paste the table
import-csv-help = Cells that are copied in Excel can be pasted as they are. Choose a file or paste a table, not both.
import-both = A file is chosen and a table is pasted; choose a file or paste a table, not both.
import-neither = No file is chosen and no table is pasted; choose a file or paste a table.
import-too-large = The file has more than { $count } bytes; divide the table, or run offhook import on the server.
import-comments = { $count ->
    [one] One line that begins with # was skipped as a comment.
   *[other] { $count } lines that begin with # were skipped as comments.
  }
import-dry-run = Preview changes
import-dry-run-about = Nothing has been changed yet.
import-now = Import
import-encoding = The file was read as { $value }.
separator-comma = Commas separate the columns.
separator-semicolon = Semicolons separate the columns.
separator-tab = Tabs separate the columns.
separator-other = { $value } separates the columns.
import-columns = Columns of the table
column-title = Column
column-use = Used as
column-name = name
column-mail = mail address
column-upn = sign-in name (UPN)
column-extension = extension
column-objectid = object ID of the Teams account
column-location = location
column-ignored = ignored
import-missing = Columns that the table does not have: { $value }. These values stay as they are.
import-added = { $count } new
import-changed = { $count } changed
import-unchanged = { $count } unchanged
import-conflicts = { $count ->
    [one] One row is in conflict with people who are here. Nothing can be imported until it is corrected.
   *[other] { $count } rows are in conflict with people who are here. Nothing can be imported until they are corrected.
  }
deeds-caption = What was done or would be done
deeds-none = Nothing: everybody is as they should be.
deed-what = What
deed-difference = Difference
deed-reason = Why
deed-added = new
deed-updated = changed
deed-conflict = conflict
deed-line = Line
deed-gone = gone
deed-unmatched = without an account
deed-ambiguous = could be several people
deed-refused = refused

# Scopes
scopes-about = Settings come from the organisation; a location, and below it a configuration group, may have settings of its own for each function.
scope-add = Add a location or a group
scope-new-location = New location
scope-new-group = New group in { $name }
scope-kind = Kind
kind-organisation = organisation
kind-location = location
kind-group = configuration group
scope-individual = Settings of its own
scope-edit = Name
scope-tenant = Teams tenant
scope-tenant-help = Its name in the configuration; empty for the main one.
scope-delete = Delete
scope-delete-sure = Delete { $name }? Its settings go with it. While people or groups are in it, it is not deleted.
scope-functions = Functions
scope-function = Function
scope-decided-by = Settings from
scope-page = { $name } of { $scope }
page-default = default
page-individual = individual
page-default-about = These are the settings of { $scope }; they hold here as long as there are none of its own. To change them for this place only, give it settings of its own; to change them for everybody who has them, go to { $scope }.
page-affects =
    { $count ->
        [one] Individual: { $count } person has these settings.
       *[other] Individual: { $count } people have these settings.
    }
page-to-individual = Give it settings of its own
page-to-individual-now = Give it its own, and change them
page-to-default = Give up settings of its own
page-to-default-now = Back to default
page-values = Settings
copy-label = Its own settings begin with
copy-product = the product’s defaults
copy-from = a copy of { $scope }
user-may-change = Users may change “{ $name }” themselves
preview = Who is affected?
preview-title = Who is affected
preview-about =
    { $count ->
        [0] Nothing would be different for anybody. Nothing is saved yet.
        [one] Something would be different for { $count } person. Nothing is saved yet.
       *[other] Something would be different for { $count } people. Nothing is saved yet.
    }
preview-caption = People for whom something would be different: { $count }
preview-nobody = Nobody.
preview-back = Back without saving
preview-locks = Users can no longer change “{ $name }” themselves ({ $count } have these settings).
preview-unlocks = Users can change “{ $name }” themselves from then on ({ $count } have these settings).

# Templates
templates-about = Templates are profiles for everyone in the organisation, a location or a group. Scopes can have templates of the same name: the nearest active one applies. Where a setting names only a status, the first active template with that status applies.
templates-none = No templates yet.
template-add = Create a template
template-edit = Edit template
template-active = Active
template-scope = Scope
template-offers = Available to
template-everyone = everyone in the scope
template-for-everyone = Available to everyone in the scope
template-for-everyone-help = Clear this to offer the template only to the people below.
template-people = Also assigned to
template-teams = Template for Teams calls
template-teams-now = Create “MS Teams”
template-teams-here = Create “MS Teams” here
template-teams-call = Used by Teams calls in { $scope }.
template-teams-call-people =
    { $count ->
        [one] Used by Teams calls of { $count } person it is assigned to.
       *[other] Used by Teams calls of { $count } people it is assigned to.
    }
template-teams-do_not_disturb = Used by Do not disturb and presenting in Teams in { $scope }.
template-teams-do_not_disturb-people =
    { $count ->
        [one] Used by Do not disturb and presenting in Teams of { $count } person it is assigned to.
       *[other] Used by Do not disturb and presenting in Teams of { $count } people it is assigned to.
    }
template-no-settings = No settings use this template: you can delete it or switch it off. Teams then uses the next matching profile.
template-lost-uses = You can't make this change yet: these settings would have no profile of that name. Choose another profile there first: { $name }.
teams-call-takes = Teams calls use the profile “{ $name }” of { $scope }.
teams-call-takes-none = Teams calls use no profile here: neither “MS Teams” nor “Appointment” is an active template.
teams-do_not_disturb-takes = Do not disturb and presenting in Teams use the profile “{ $name }” of { $scope }.
teams-do_not_disturb-takes-none = Do not disturb and presenting in Teams use no profile here: calls ring.
teams-own-first = A person's assigned templates, own profiles and own order come first.
template-delete = Delete template
template-uses = Used by
template-use = Setting
template-use-elsewhere = a person of another location
template-no-uses = Not used: you can delete this template or switch it off.

# Workgroups
workgroups-about = The members of a workgroup are to one another what the group says, where that is more than else.
workgroups-none = There are no workgroups yet.
workgroup-add = Make a workgroup
workgroup-level = Members are to one another
workgroup-members = Members

# Tenants
tenants-about = How the connections to Teams are.
tenants-none = No tenant is connected.
tenant-linked = with a Teams account
tenant-connect = Connect a tenant
tenant-connect-about = In five steps, each of which is examined: the application in Entra, its certificate or secret, its permissions, the people, the switch. For another tenant the same, with a section [[tenants]] instead of [teams].
tenant-connect-now = Connect a tenant, step by step
connect-step = Step { $count } of 5: { $name }
connect-1-title = register the application
connect-1-about = At entra.microsoft.com, under App registrations, make a new registration named Offhook, for accounts in this directory only, without a redirect address. Its overview shows two ids; enter them here. Offhook then looks whether it is ready itself.
connect-2-title = certificate or secret
connect-2-about = Make a certificate on the machine that Offhook runs on, and upload offhook.crt at the application, under Certificates & secrets. Write the section below into the configuration file. With a secret instead: client_secret_file = "secret.txt" in the place of the two lines of the certificate.
connect-3-title = permissions
connect-3-about = At the application, under API permissions, add the application permissions Presence.ReadWrite.All and User.ReadBasic.All of Microsoft Graph, and grant an administrator’s consent.
connect-4-title = people
connect-4-about = People come from a table (name, mail, UPN, extension), on the page People or on the command line, or from Entra (docs/connect-teams.md). Each is looked for in the tenant by sign-in name and mail.
connect-5-title = restart, and switch on
connect-5-about = What is in the configuration file is in force after a restart of Offhook. Synchronisation is off until you switch it on: for everybody, a location, a group or a person.
connect-tenant = Directory (tenant) ID
connect-client = Application (client) ID
connect-id-help = As 11111111-2222-4333-8444-555555555555.
connect-command = Command
connect-file = In the configuration file
connect-consent = Consent
connect-consent-now = Consent at Microsoft, as an administrator of the tenant
connect-switch = The switch
connect-examine = Examine this step
connect-well = This step is done
connect-ill = Something is missing: see below, and examine again
connect-nothing = Nothing could be looked at yet: finish the steps before.
connect-ways = Steps
connect-before = Back
connect-next = Next step
directory-of = People from Entra, tenant { $tenant }
directory-dry-run = Try it: what would happen?
directory-now = Synchronise now
directory-accounts =
    { $count ->
        [one] { $count } account was read.
       *[other] { $count } accounts were read.
    }

# Telephone systems
telephony-about = How the connections are, and what the lines do now. The tables are read anew every five seconds.
telephony-none = No telephone system is connected yet; below stands how.
lines-search = Extension or name
lines-caption = { $count } lines, those in use first
lines-none = No line.
line = Extension
line-state = Line
line-in-use = in use
line-idle = idle
line-ringing = ringing
line-held = on hold
line-unknown = unknown
line-stale = { $status }, no longer confirmed

# Accounts
accounts-about = Accounts let people sign in here. Who has none can still be shown, called and synchronised.
accounts-none = There are no accounts yet.
account-add = Add an account
account-role = May
account-whose = Of
account-person = Person
account-person-help = Whose account it is; empty for one that only administers.
account-location = Location
account-location-help = What a location administrator administers.
account-password-of = New password for { $name }
account-password-help = At least { $count } characters. Whoever is signed in with the old one is signed out.
role-person = have pages of their own
role-location_admin = administer a location
role-system_admin = administer everything

# Keys
keys-about = A key lets a program use the API. It is shown once, when it is made.
keys-none = There are no keys yet.
key-add = Make a key
key-name-help = What uses it.
key-scopes = It may
key-scope-route = ask where calls go (for a PBX)
key-scope-read = read everything
key-scope-write = change what people may change
key-scope-admin = do everything
key-made = The key
key-made-about = Copy it now: it is not shown again.
key-delete-sure = Delete { $name }? What uses it is refused at once.

# Audit log
audit-about = Every change: who made it, what was before and after. Of what people change of their own, or an assistant for them, only that it changed.
audit-not-recorded = Not recorded
audit-none = Nothing fits.
audit-at = When
audit-who = Who
audit-what = What
audit-target = Whom or what
audit-before = Before
audit-after = After
audit-export = Export as CSV (the newest 50,000)

# Backup
backup-about = A backup is a copy of the database, made while everything goes on, in { $folder } on the machine that Offhook runs on. Copy it elsewhere: a disk that fails takes both. The key that seals secrets (secrets.key) is not in it.
backup-now = Make a backup now
backup-none = There are no backups here yet.
backup-size = Size
backup-restore = Restore
backup-restore-of = Restore { $name }
backup-restore-sure = Put everything back as it was in { $name }? Whatever was changed since is undone, accounts and passwords too. The database of now is kept beside it.
backup-restore-about = Restoring puts everything back as it was then; the server begins again within seconds, and the database of now is kept beside the other. A copy that lies elsewhere is restored on the machine: “offhook restore FILE --force”, whether the server runs or not.
backup-restoring = The backup is being restored
backup-restoring-about = { $name } is whole. The server ends now and begins again with it within seconds. Sign in with an account that existed then; if there is none, “offhook link” on the machine makes a way in.

# Microphone Sync
microphone-about = When one of these programs uses the microphone, colleagues of the team see “Busy” and its name. Programs that are not listed, or not active, are never reported.
microphone-for = For
microphone-on = switched on
microphone-off = switched off: nothing is shown until it is switched on here
programs = Programs
programs-none = No program is listed: nothing is ever shown.
programs-own = This table is its own.
programs-default = This table comes from { $scope }. The first change here makes a table of its own of it.
programs-as-above = as the scope above says, always
programs-again = Begin the table anew
programs-again-now = Begin anew
program-add = Add a program
program-alias = Alias, shown to colleagues
microphone-off-about = Microphone Sync is switched off here: nothing is shown of any program, active or not.
microphone-enable = Switch it on
program-alias-help = What colleagues read; empty: the process itself.
program-process = Process
program-process-help = The name of the program’s file without .exe, for example Zoom. Capital letters do not matter.
program-also = Other names
program-also-help = Several between commas: of its process on other systems, of its bundle (macOS) or package (Windows).
program-softphone = It is the telephone system’s own client: never show it
program-is-softphone = Softphone
program-ignore = Ignore after
program-ignore-help = Hours; empty: never. For programs that keep the microphone without a meeting, as Webex may to find rooms by ultrasound.
program-active = Active: it is shown
program-activate = Activate
program-deactivate = Deactivate
program-activate-of = Activate { $name }
program-deactivate-of = Deactivate { $name }
done-program-added = Added. It is shown once you activate it.

# Doctor
doctor = Examine the installation
doctor-now = Examine now
doctor-about = This is how the configuration file is now. What you change in it can be examined at once; it is in force after a restart.
doctor-findings = What was found, what must be mended first
doctor-what = What was found
doctor-means = What it means
doctor-back = Back
verdict-fine = fine
verdict-warning = works, but
verdict-failed = must be mended
verdict-skipped = not looked at
telephony-connect = Connect a telephone system
telephony-steps = Give Offhook an account there that may subscribe to the lines, and write its server, domain and account into a section [[pbx]] of the configuration file (docs/connect-pbx.md shows it for each system). Then examine, until nothing must be mended, and restart Offhook.

# Who is in a location or group
scope-members =
    { $count ->
        [one] { $count } person is here
       *[other] { $count } people are here
    }
scope-nobody = Nobody is here yet.
scope-put = Put somebody here
scope-put-now = Put here
scope-take = Take out
scope-take-of = Take out { $name } of { $scope }
scope-take-sure = take out? The settings of { $scope } hold then.
scope-move = Move { $name }?
scope-move-now = Move
scope-move-about = From { $scope } to { $target }: the settings there hold then. A person is in one location, and in at most one group of it.

# Overview, more
overview-rhythm = Everybody of { $tenant } is read every
overview-budget = Requests to { $tenant } in the last 30 seconds
overview-budget-spent = { $count } ({ $value } of what Microsoft allows)
overview-backlog = Writes that wait for the request limit of { $tenant }
overview-backlog-age = { $count }, the oldest for { $value }
overview-pauses = Pauses of writing, because somebody answered what Offhook wrote
overview-silent = People of whom a source has fallen silent
overview-nobody-silent = Every source has spoken of everybody lately.

# Tasks
nav-work = Tasks
work-about = What takes long goes on while you do something else: imports, synchronisations with directories, backups. A restart of the server forgets the list.
work-goes-on = This goes on if you leave the page. If it is cancelled, everything stays as it was.
work-cancel = Cancel
work-what = Task
work-progress = Done
work-who = Started by
work-begun = Since
work-none = Nothing is under way.
work-on = Where to go on
work-import = Import of people
work-directory = Synchronisation with a directory
work-backup = Backup
work-state-running = under way
work-state-done = done
work-state-failed = failed
work-state-cancelled = cancelled
done-step = This step is done; on to the next.
done-begun = It has begun.
done-cancelled = It has been told to end.

# Overview: the organisation's time zone
zone-question = Organisation’s time zone
zone-question-label = Time zone
zone-question-help = Calendars that name no time zone are read in this one. Until you choose, the server’s time zone is used.
