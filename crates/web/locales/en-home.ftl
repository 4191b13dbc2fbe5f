# Texts of the administration's home page and of the audit log. Keys are the same in all languages.

nav-health = Health

# Audit log: one sentence for each kind of entry. $name: the author.
audit-intro = Changes and sign-ins. Open an entry for its details. What people change of their own is kept for a shorter time and without content.
audit-filter-who = Who
audit-filter-what = What
audit-filter-from = From
audit-filter-to = To
audit-filter-all = Everything
audit-filter-people = People
audit-filter-import = Imports
audit-filter-accounts = Accounts
audit-filter-settings = Settings
audit-filter-scopes = Locations and groups
audit-filter-templates = Profile templates
audit-filter-workgroups = Workgroups
audit-filter-programs = Microphone Sync
audit-filter-keys = API keys
audit-filter-backups = Backups
audit-filter-sessions = Sign-ins
audit-filter-directory = Directory synchronisation
audit-details = Details
audit-parts = { $count ->
    [one] One person
   *[other] { $count } people
  }
audit-parts-more = and { $count } more
audit-organisation = the organisation
author-command-line = The command line
author-installation = The administrator of the installation
author-configuration = The API key of the configuration
author-key = The API key { $name }
author-demo = The demo
audit-unknown-kind = { $name }: { $value } ({ $target })
audit-say-account-add = { $name } added the account { $target }
audit-say-account-change = { $name } changed the account { $target }
audit-say-account-delete = { $name } deleted the account { $target }
audit-say-account-password = { $name } set the password of { $target }
audit-say-api_key-add = { $name } made the API key { $target }
audit-say-api_key-delete = { $name } deleted an API key
audit-say-backup-delete = { $name } deleted the backup { $target }
audit-say-backup-make = { $name } made a backup
audit-say-backup-restore = { $name } restored the backup { $target }
audit-say-clock-confirm = { $name } confirmed the server’s clock
audit-say-doctor-examine = { $name } checked the installation
audit-say-people-import = { $name } imported { $count ->
    [one] one person
   *[other] { $count } people
  }
audit-say-person-add = { $name } added { $target }
audit-say-person-change = { $name } changed the data of { $target }
audit-say-person-delete = { $name } deleted { $target }
audit-say-person-place = { $name } moved { $target } to { $scope }
audit-say-programs-add = { $name } added a program to Microphone Sync ({ $target })
audit-say-programs-change = { $name } changed a program of Microphone Sync ({ $target })
audit-say-programs-delete = { $name } removed a program from Microphone Sync ({ $target })
audit-say-programs-set = { $name } changed the program list of Microphone Sync for { $target }
audit-say-scope-add = { $name } added { $target } to the locations and groups
audit-say-scope-change = { $name } changed the location or group { $target }
audit-say-scope-delete = { $name } deleted the location or group { $target }
audit-say-settings-set = { $name } changed settings of { $target }
audit-say-template-delete = { $name } deleted the profile template { $target }
audit-say-template-order = { $name } changed the order of the profile templates
audit-say-template-set = { $name } changed the profile template { $target }
audit-say-work-cancel = { $name } cancelled a job
audit-say-workgroup-delete = { $name } deleted a workgroup
audit-say-workgroup-set = { $name } changed the workgroup { $target }
audit-say-appointment-add = { $name } added an appointment of { $target }
audit-say-appointment-set = { $name } changed an appointment of { $target }
audit-say-appointment-delete = { $name } deleted an appointment of { $target }
audit-say-profile-set = { $name } changed a profile of { $target }
audit-say-profile-delete = { $name } deleted a profile of { $target }
audit-say-profile-order = { $name } changed the order of the profiles of { $target }
audit-say-profile-choose = { $name } set the status of { $target }
audit-say-profile-automatic = { $name } set the status of { $target } back to automatic
audit-say-relationship-set = { $name } changed who may see { $target }
audit-say-favourites-set = { $name } changed the favourites of { $target }
audit-say-settings-set_own = { $name } changed personal settings of { $target }
audit-say-person-teams_account = { $name } connected the Teams account of { $target }
audit-say-person-teams_account-link = { $name } connected a Teams account with { $target }
audit-say-person-teams_account-forget = { $name } disconnected the Teams account of { $target }
audit-say-device-add = { $name } paired a computer of { $target }
audit-say-device-code = { $name } asked for a pairing code for { $target }
audit-say-device-pause = { $name } paused Microphone Sync of { $target }
audit-say-device-delete = { $name } removed a computer of { $target }
audit-own-appointments = { $name } changed own appointments
audit-own-profiles = { $name } changed own profiles
audit-own-status = { $name } changed the own status
audit-own-sharing = { $name } changed who may see what
audit-own-settings = { $name } changed personal settings
audit-own-teams = { $name } changed the own Teams account
audit-own-devices = { $name } changed own computers
audit-say-directory-synchronise = The directory changed { $count ->
    [one] one person
   *[other] { $count } people
  }
audit-say-demo-arrange = The sample organisation was set up
audit-say-session-begin = { $target } signed in
audit-say-session-fail = A sign-in as { $target } failed
audit-say-session-refuse = A sign-in as { $target } was refused after too many attempts

# Home
home-status = Status
home-not-set-up = Not set up yet
home-next = Next: { $name }
home-works = Everything works
home-works-about = { $count ->
    [one] One connection, no problem
   *[other] { $count } connections, no problem
  }
home-synchronised = Synchronised
home-of = { $count } of { $value }
home-why-not = { $count ->
    [one] One is not. Why?
   *[other] { $count } are not. Why?
  }
home-all-synchronised = All people
home-nobody = No people yet
home-latency = Phone → Teams, last hour
home-latency-about = 99%: { $value } · { $count ->
    [one] one change
   *[other] { $count } changes
  }
home-latency-none = Nothing in the last hour
home-budget = Microsoft request budget
home-budget-about = { $tenant } · polling every { $value }
home-budget-none = No tenant connected
home-attention = Needs attention
home-attention-none = Nothing needs attention.
home-what = What
home-since = Since
home-check-pbx = Check connection
home-check-teams = Check connection
home-check = See details
home-review = Review
home-zone = Time zone not set
home-zone-about = Working hours and appointments use the zone of the server.
home-zone-set = Set
home-unmatched = { $count ->
    [one] One person has no Teams account
   *[other] { $count } people have no Teams account
  }
home-unmatched-about = Sign-in name and mail address match no account of the tenant.
home-silent = { $count ->
    [one] Updates are missing for one person
   *[other] Updates are missing for { $count } people
  }
home-problem-pbx = Phone system “{ $name }” has a problem
home-problem-teams = Microsoft Teams ({ $name }): a problem
home-problem-directory = Directory ({ $name }): a problem
home-problem-server = Server: { $name }
home-warning = Note on { $name }
home-start = Get started
home-start-done = { $count } of 6 done
home-step-teams = Connect Microsoft Teams
home-step-people = Bring people in
home-step-people-count = Bring people in ({ $count })
home-step-scopes = Make locations and groups
home-step-pbx = Connect a phone system
home-step-pilot = Switch on the pilot group
home-step-agents = Roll out desktop agents
home-step-done = Done
home-open = Open
home-continue = Continue
home-label = { $name }: { $value }
home-day = Last 24 hours
home-day-about = Calls begun per hour, on the phone and in Teams. Counted since the start of the server if it runs for less than 24 hours.
home-day-none = No calls yet. Counted since the start of the server.
home-day-axis = { $count } h ago
home-hour = Hour
home-calls = Calls
home-now = now
home-recent = Recent changes
home-recent-none = No changes yet.
home-recent-all = All changes

# Confirmations with a number
done-backup = { $count ->
    [0] Backup made.
   *[other] Backup made: { $count } KiB
  }
done-people-imported = { $count ->
    [one] One person imported
   *[other] { $count } people imported
  }
done-people-added = { $count ->
    [one] One person added
   *[other] { $count } people added
  }
done-people-changed = { $count ->
    [one] One person changed
   *[other] { $count } people changed
  }
done-person-deleted = Person deleted
done-person-added = Person added
done-person-changed = Data of the person changed
done-scope-added = Added. Give it settings or people next.
done-scope-deleted = Location or group deleted
done-scope-changed = Name or tenant changed
done-zone = Time zone set
done-backup-deleted = Backup deleted
done-key-deleted = API key deleted
done-moved = Person moved
done-workgroup-deleted = Workgroup deleted
done-place = People of this scope changed
