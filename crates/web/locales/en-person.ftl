# The page of a person: sentence, actions, day, reasons.

sentence-teams-call = In a Teams call
sentence-OnThePhone = On the phone
sentence-Ringing = Phone is ringing
sentence-InMeeting = In a meeting
sentence-Presenting = Presenting in Teams
sentence-app = Using { $app }
sentence-text = { $status }: “{ $value }”
sentence-minutes =
    { $count ->
        [one] 1 minute
       *[other] { $count } minutes
    }
sentence-hours =
    { $count ->
        [one] 1 hour
       *[other] { $count } hours
    }
sentence-lasting = { $status } for { $value }
sentence-chosen-until = { $status } until { $time } (own choice)
sentence-free-until = Until { $time }
sentence-back-at = Back at about { $time }
sentence-free-at = Free at about { $time }
sentence-until-call-ends = Busy until the call ends
sentence-until-meeting-ends = Busy until the meeting ends
sentence-until-it-ends = Busy until it ends
sentence-nothing = {""}
sentence-follows = “{ $value }” follows at { $time }
sentence-private = a private appointment follows at { $time }
sentence-appointment = an appointment follows at { $time }
person-call-of = Call { $target }
person-chat = Chat in Teams
person-write = Mail
person-today = Today
person-technical = Technical details
person-since = since { $time }
person-bell = Tell me when { $name } is free
bell-set = You will be told when { $name } is free.
bell-free = { $name } is available
bell-denied = Your browser does not allow notifications. The message appears on this page instead.
