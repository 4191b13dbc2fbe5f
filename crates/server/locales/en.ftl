# The words of the pages in English. The other languages have the same keys: a test checks.

# The frame of every page
nav-board = Board
nav-my-teams = My Teams account
nav-sign-out = Sign out
nav-skip = Skip to the content
nav-language = Language
signed-in-as = Signed in as { $name }

# Statuses and activities
status-Available = Available
status-BeRightBack = Be right back
status-Busy = Busy
status-DoNotDisturb = Do not disturb
status-Absent = Absent
status-Offline = Offline
activity-Ringing = Ringing
activity-OnThePhone = On the phone
activity-OnThePhoneTeams = On the phone (MS Teams)
activity-InMeeting = In a meeting
activity-Presenting = Presenting
activity-UsingApp = { $app }
confidence-stale = not heard of for a while

# Board
board-label = Presence of everybody
board-filter = Filter
board-people =
    { $count ->
        [one] { $count } person
       *[other] { $count } people
    }
board-people-of = { $shown } of { $count } people
board-connecting = Connecting …
board-live = Live
board-lost = Not live: connection lost; trying again
board-name = Name
board-status = Status
board-activity = Activity
board-text = Text
board-since = Since
board-explanation = Explanation
board-why = Why?
board-why-of = Why { $status }? { $name }
board-empty = Nobody yet. <code>offhook import people.csv</code> brings people in: a table with the columns name, mail, UPN and extension.
demo-about = This is a demo with sample people, a simulated telephone system and a Teams tenant in a box.
demo-teams = Act as a Teams user
demo-pause = Pause the day
demo-go-on = Let the day go on

# Card
card-close = Close
card-profiles = Profiles
card-appointments = Appointments
card-automatic = Automatically
card-title = { $name }: why { $status }?
card-failed = The server could not say; try again in a moment.
card-with = with { $party }
card-choose-for = Choose { $profile } for { $name }? Colleagues see it, and it says “chosen by hand”.
card-end-for = End { $profile } for { $name }?
card-since = since { $time }
card-until = unless renewed until { $time }
card-calls-to = calls to { $target }
card-calls-refused = calls are refused
card-central = central
card-own = own
card-now = now
card-nothing = nothing
card-locked = set by the administrator ({ $scope })
automatic-client_start = When a client starts
automatic-client_end = When the last client ends
automatic-inactivity = When nobody is at the keyboard
automatic-locked = When the screen is locked

# Sign-in
sign-in-title = Sign in
sign-in-name = Name
sign-in-password = Password
sign-in-button = Sign in
sign-in-wrong = Name or password are wrong. An administrator can set a new password.
sign-in-wait = Too many attempts. Try again in { $seconds } seconds.
sign-in-busy = Too many sign-ins at once. Try again in { $seconds } seconds.
sign-in-open-id = Sign in with { $name }
sign-in-link = Or open a one-time link: <code>offhook link</code> prints one on the machine that runs Offhook (with the demo: press Enter in its window).
sign-in-link-used = This link was used already, has expired, or was never asked for.
sign-out-everywhere = Sign out everywhere

# My Teams account
teams-title = My Teams account
teams-who = { $name }, tenant { $tenant }
teams-code-before = Open
teams-code-after = and type
teams-code-notice = This page notices by itself when you have done so.
teams-connected-remembered = Connected. Your login is remembered, encrypted, and used by Offhook only.
teams-connected-once = Connected. Your login is not remembered: after a restart of Offhook you sign in again.
teams-connected-tenant = Connected. Your administrator has connected the whole tenant: Offhook needs no login of yours.
teams-known = Your account is known, but you are not signed in: nothing crosses between Teams and Offhook until you are.
teams-not-connected = Not connected.
teams-linked = Account: { $name }
teams-question = Is { $name } your account?
teams-question-why = It is not the one that Offhook knows of you. Nothing is connected until you confirm.
teams-question-of = This is the sign-in name of { $name }. If you have signed in with the wrong account, discard it.
teams-question-link = Connect this account
teams-question-discard = Discard
teams-password = You sign in at Microsoft; Offhook never sees your password.
teams-remember = Remember login data
teams-with-code = Sign in with a code
teams-in-browser = Sign in in this browser
teams-in-browser-once = Sign in in this browser without remembering it
teams-disconnect = Disconnect

nav-password = Password
done-password = The password is changed. All other sessions are signed out.
