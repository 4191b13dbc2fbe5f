# Die Seite einer Person: Satz, Aktionen, Tag, Gründe.

sentence-teams-call = Im Teams-Gespräch
sentence-OnThePhone = Am Telefon
sentence-Ringing = Telefon klingelt
sentence-InMeeting = In einer Besprechung
sentence-Presenting = Präsentiert in Teams
sentence-app = Verwendet { $app }
sentence-text = { $status }: „{ $value }“
sentence-minutes =
    { $count ->
        [one] 1 Minute
       *[other] { $count } Minuten
    }
sentence-hours =
    { $count ->
        [one] 1 Stunde
       *[other] { $count } Stunden
    }
sentence-lasting = { $status } seit { $value }
sentence-chosen-until = { $status } bis { $time } (selbst gewählt)
sentence-free-until = Bis { $time }
sentence-back-at = Voraussichtlich zurück um { $time }
sentence-free-at = Voraussichtlich frei um { $time }
sentence-until-call-ends = Beschäftigt bis zum Ende des Gesprächs
sentence-until-meeting-ends = Beschäftigt bis zum Ende der Besprechung
sentence-until-it-ends = Beschäftigt, bis das beendet ist
sentence-nothing = {""}
sentence-follows = „{ $value }“ folgt um { $time }
sentence-private = ein privater Termin folgt um { $time }
sentence-appointment = ein Termin folgt um { $time }
person-call-of = { $target } anrufen
person-chat = Chat in Teams
person-write = E-Mail
person-today = Heute
person-technical = Technische Details
person-since = seit { $time }
person-bell = Benachrichtigen, wenn { $name } frei ist
bell-set = Sie werden benachrichtigt, wenn { $name } frei ist.
bell-free = { $name } ist verfügbar
bell-denied = Ihr Browser erlaubt keine Benachrichtigungen. Die Meldung erscheint stattdessen auf dieser Seite.
