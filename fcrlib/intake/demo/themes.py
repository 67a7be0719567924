"""What do the customers of the invented desk write about?

A business-software helpdesk: nine categories, each with about three themes. `{slots}` are spelled out by `text`.
"""

from __future__ import annotations

from dataclasses import dataclass

# Category, its share of first contacts, and the team that is at home in it.
CATEGORIES: dict[str, tuple[float, str]] = {
    "billing": (0.16, "billing desk"),
    "login": (0.14, "access desk"),
    "integrations": (0.12, "integrations desk"),
    "imports": (0.10, "data desk"),
    "reports": (0.12, "data desk"),
    "performance": (0.09, "technical desk"),
    "permissions": (0.10, "access desk"),
    "mobile app": (0.09, "technical desk"),
    "contract": (0.08, "customer success"),
}
AREAS = ("invoices", "payments", "single sign-on", "user directory", "webhooks", "connectors", "data loader", "dashboards", "phone app", "plans")


@dataclass(frozen=True, slots=True)
class Theme:
    """A problem people write about: its category, its usual product area, and the ways to say it."""

    slug: str
    category: str
    area: str
    subjects: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]


THEMES: tuple[Theme, ...] = (
    Theme(
        "wrong-vat",
        "billing",
        "invoices",
        ("VAT on invoice {order} is wrong", "Tax rate on our last bill", "Please correct invoice {order}"),
        (
            "the invoice for {month} shows {n} % VAT although we are exempt",
            "our VAT number is missing on invoice {order}",
            "you charged us domestic tax but our company sits in another country",
            "the tax line on the bill does not match what we agreed, it reads {amount}",
            "reverse charge should apply to us and yet tax was added to the bill",
        ),
        (
            "Our accountant cannot book it like this.",
            "The VAT id is in the account settings since {month}.",
            "Last quarter it was still right.",
            "We need a corrected document before the month closes.",
        ),
    ),
    Theme(
        "double-charge",
        "billing",
        "payments",
        ("Charged twice in {month}", "Double payment of {amount}", "Card debited two times"),
        (
            "our card was charged twice on the {day}",
            "I see two debits of {amount} for the same subscription",
            "the bank statement lists your company two times this month",
            "we paid by transfer and then the card was debited as well",
            "a second payment of {amount} left our account without any invoice",
        ),
        (
            "Please send the money back.",
            "Only one invoice exists for it.",
            "The bank says it was not their mistake.",
            "It is the second time since {month}.",
        ),
    ),
    Theme(
        "invoice-missing",
        "billing",
        "invoices",
        ("Invoice for {month} missing", "Where do I find our invoices?", "No bill received"),
        (
            "we did not get any invoice for {month}",
            "the download button for the bill of {month} gives an empty page",
            "invoices stopped arriving at our accounting mailbox",
            "I cannot find the PDF of the last bill in the billing tab",
            "the billing archive ends in {month} although we paid since then",
        ),
        (
            "The auditors are asking for it.",
            "The mailbox works, other mail comes through.",
            "I looked in the spam folder too.",
            "Could you send it again as PDF?",
        ),
    ),
    Theme(
        "card-declined",
        "billing",
        "payments",
        ("Card declined", "Payment keeps failing", "Cannot update payment method"),
        (
            "the new credit card is declined every time I save it",
            "your payment page says 'transaction refused' but the bank sees no attempt",
            "we tried {n} cards and none is accepted",
            "the renewal of {amount} fails with a generic payment error",
            "the security step of the bank opens and then the page just hangs",
        ),
        (
            "The account will be suspended in {n} days.",
            "The bank confirmed that the card is fine.",
            "It happens in two different browsers.",
            "Is there another way to pay?",
        ),
    ),
    Theme(
        "refund-status",
        "billing",
        "payments",
        ("Refund not received", "Where is our credit note?", "Status of refund {order}"),
        (
            "we were promised a refund of {amount} in {month} and nothing came",
            "the credit note for order {order} never reached us",
            "our refund is still shown as being processed after {n} weeks",
            "you refunded only a part of the {amount} we overpaid",
        ),
        ("Whom do I have to ask?", "Accounting is waiting for the credit note.", "Please tell me the date.", "The order number is {order}."),
    ),
    Theme(
        "password-reset",
        "login",
        "user directory",
        ("Password reset mail does not arrive", "Cannot reset my password", "Locked out"),
        (
            "the mail with the reset link never arrives",
            "the password link says it has expired as soon as I open it",
            "I changed my password and the old one is still asked for",
            "after {n} attempts my account is locked and I cannot unlock it",
            "the new password is refused although it follows all the rules",
        ),
        ("I am the only administrator.", "I checked the junk folder.", "My colleague has the same trouble.", "I need to get in before {day}."),
    ),
    Theme(
        "sso-loop",
        "login",
        "single sign-on",
        ("Sign-on redirects in circles", "SAML login broken", "SSO error after redirect"),
        (
            "single sign-on sends us back to the start page again and again",
            "after the identity provider we land on error {n} instead of the dashboard",
            "the SAML response is rejected with 'audience mismatch'",
            "users from our directory get 'no account found' when they sign on",
            "since the certificate was renewed nobody can sign on with {app}",
        ),
        (
            "About {n} people are locked out.",
            "Nothing was changed on our side.",
            "A private window makes no difference.",
            "The metadata file was uploaded again.",
        ),
    ),
    Theme(
        "two-factor",
        "login",
        "user directory",
        ("Lost my authenticator", "Two-factor code refused", "New phone, no codes"),
        (
            "I have a new phone and the six-digit codes are gone",
            "the code from the authenticator is refused every time",
            "the text message with the code comes {n} minutes late",
            "the backup codes we printed are all marked as used",
            "an employee left and the second factor is tied to his handset",
        ),
        ("Please switch it off for one login.", "The clock of the phone is right.", "I can prove who I am.", "We had no trouble until {month}."),
    ),
    Theme(
        "passkey-loop",
        "login",
        "single sign-on",
        ("Passkey prompt again and again", "Fingerprint sign-in never ends", "Passkey not remembered"),
        (
            "the passkey prompt comes back every time I touch the fingerprint reader",
            "the browser stores a passkey and your page asks for a new one right away",
            "the security key blinks, I press it, and the same window opens once more",
            "since passkeys became mandatory my laptop is not recognised any more",
            "the passkey of my old computer blocks the one of the new computer",
        ),
        ("The laptop is {n} months old.", "It works on the tablet.", "Windows Hello itself is fine.", "Can I go back to the old way?"),
    ),
    Theme(
        "crm-sync",
        "integrations",
        "connectors",
        ("{app} sync stopped", "Contacts no longer sync", "Connector shows red"),
        (
            "the {app} connector has not synced since the {day}",
            "new customers from {app} do not appear in your system",
            "the sync log only says 'partial failure' for {n} records",
            "fields we mapped last month are empty after each sync",
            "deleted companies come back from {app} every night",
        ),
        ("Reconnecting did not help.", "The token was renewed yesterday.", "{n} records are affected.", "Sales works with stale data now."),
    ),
    Theme(
        "webhook-twice",
        "integrations",
        "webhooks",
        ("Webhook delivered twice", "Duplicate events", "Our endpoint is called again and again"),
        (
            "every webhook hits our endpoint two or three times",
            "we receive the order event twice with different ids",
            "retries keep coming although we answer with status 200",
            "the signature of the second delivery does not verify",
            "events arrive in the wrong order, the update before the creation",
        ),
        ("Our endpoint answers in {n} ms.", "The event is {order}.", "It creates double bookings for us.", "The test button works fine."),
    ),
    Theme(
        "api-limit",
        "integrations",
        "connectors",
        ("429 from the API", "Rate limit too low", "API quota"),
        (
            "the API answers 429 after {n} calls",
            "our nightly job runs into the rate limit since {month}",
            "the quota in the header does not match the one in the contract",
            "the bulk endpoint stops after {n} rows without an error",
            "our API key is refused although it is shown as active",
        ),
        ("We send {n} requests a minute.", "The docs say something else.", "Can the limit be raised?", "The request id is {order}."),
    ),
    Theme(
        "calendar-link",
        "integrations",
        "connectors",
        ("Calendar events missing", "Meetings not linked", "Outlook add-in greyed out"),
        (
            "meetings booked in {app} do not show on the timeline",
            "the add-in for the mail program is greyed out for {n} colleagues",
            "calendar invitations are sent twice to our guests",
            "appointments are shifted by {n} hours after they were synced",
        ),
        ("The time zone is set correctly.", "It began on the {day}.", "Reinstalling the add-in was no help.", "Guests are getting confused."),
    ),
    Theme(
        "csv-encoding",
        "imports",
        "data loader",
        ("Umlauts broken after upload", "CSV import shows strange characters", "Encoding problem"),
        (
            "accents and umlauts turn into question marks after the upload",
            "the CSV we loaded shows strange characters in {n} names",
            "the loader splits our columns at the wrong sign",
            "leading zeros of the customer numbers are gone after loading",
            "dates are read with day and month swapped",
        ),
        ("The file is saved as UTF-8.", "It is the file {file}.", "The preview looked right.", "In a text editor it is fine."),
    ),
    Theme(
        "import-stuck",
        "imports",
        "data loader",
        ("Upload stuck at {n} %", "Import never finishes", "Job {order} hangs"),
        (
            "the upload has been stuck at {n} percent since this morning",
            "import job {order} neither fails nor ends",
            "a file with {n} thousand rows never gets past validation",
            "the queue says our upload is waiting for a free slot",
            "I cancelled the upload and now a new one cannot be started",
        ),
        ("The file is {file}.", "A smaller file went through.", "We must be done by {day}.", "Nobody else is loading anything."),
    ),
    Theme(
        "duplicate-records",
        "imports",
        "user directory",
        ("Duplicates after import", "Everything is in there twice", "How to merge records"),
        (
            "after the import every company exists two times",
            "the matching rule ignored the customer number and made {n} doubles",
            "merged records are separated again by the next upload",
            "we need to undo the upload of the {day} as it doubled our data",
            "people with the same mail address are not recognised as one",
        ),
        ("There are about {n} of them.", "Matching was set to the external id.", "Is there an undo?", "The file was {file}."),
    ),
    Theme(
        "empty-export",
        "reports",
        "dashboards",
        ("Export comes out empty", "Downloaded file has no rows", "Spreadsheet blank"),
        (
            "the export has headings and not a single row",
            "the spreadsheet I download is blank although the screen shows {n} lines",
            "the scheduled file arrives with zero kilobytes",
            "filters are applied twice when I download, so nothing is left",
            "the download contains only the first {n} rows and then stops",
        ),
        ("It is the report {file}.", "The preview is complete.", "Management waits for the numbers.", "It worked until the {day}."),
    ),
    Theme(
        "wrong-totals",
        "reports",
        "dashboards",
        ("Totals do not add up", "Numbers differ between two reports", "Wrong sum in {month}"),
        (
            "the total of the quarter is not the sum of its months",
            "two reports about the same thing differ by {amount}",
            "the chart counts archived projects although they are filtered out",
            "the average on the tile is higher than every single value",
            "currency conversion uses a rate from {month} for the whole year",
        ),
        ("Which one is right?", "I can send screenshots.", "The difference is {amount}.", "Our board saw this."),
    ),
    Theme(
        "scheduled-report",
        "reports",
        "dashboards",
        ("Weekly report not sent", "Subscription stopped", "Report mail missing on {day}"),
        (
            "the weekly report was not sent on the {day}",
            "subscribers who left our company still get the report",
            "the scheduled mail goes out at {n} in the night instead of the morning",
            "I cannot change the recipients of a colleague's subscription",
            "the attached report is always one week behind",
        ),
        ("The schedule looks active.", "{n} people wait for it.", "The owner of it has left.", "I recreated it twice."),
    ),
    Theme(
        "slow-dashboard",
        "performance",
        "dashboards",
        ("Dashboard takes minutes", "Everything is slow", "Pages load forever"),
        (
            "the start dashboard needs {n} seconds to load",
            "since {month} every click takes ages",
            "pages with more than {n} entries freeze the browser",
            "the spinner turns for minutes and then the page is white",
            "search answers so slowly that people stopped using it",
        ),
        ("Our line is fast.", "It is worst around {n} o'clock.", "All {n} colleagues see it.", "Another tenant is quick."),
    ),
    Theme(
        "timeouts",
        "performance",
        "data loader",
        ("Timeout when saving", "Error 504", "Connection lost"),
        (
            "saving a large record ends in a timeout",
            "we get error 504 about {n} times a day",
            "the session drops in the middle of the work and the draft is lost",
            "bulk edits of {n} items break off with 'connection reset'",
            "the gateway error appears mostly when two people save at once",
        ),
        ("The trace id is {order}.", "We lost an hour of work.", "The network team found nothing.", "It started on the {day}."),
    ),
    Theme(
        "outage",
        "performance",
        "connectors",
        ("Service unavailable", "Is there an outage?", "Nothing loads"),
        (
            "nothing loads for our whole office",
            "your status page is green but we cannot work",
            "the European data centre seems to be down for us",
            "all our locations get a maintenance page since {n} minutes",
        ),
        ("Please confirm.", "{n} people cannot work.", "When will it be back?", "Phones work, the internet works."),
    ),
    Theme(
        "role-missing",
        "permissions",
        "user directory",
        ("Cannot see the project", "Access denied", "Missing rights"),
        (
            "a new colleague gets 'access denied' on every project",
            "I was made administrator and still cannot open the settings",
            "the role we cloned lost {n} of its rights",
            "external partners can see folders they should not see",
            "since the {day} team leads cannot approve any more",
        ),
        ("The user is in the right group.", "We logged out and in again.", "It is urgent for our audit.", "The role is called {file}."),
    ),
    Theme(
        "seat-limit",
        "permissions",
        "plans",
        ("No free seats", "Cannot invite users", "Licence count wrong"),
        (
            "I cannot invite anybody, it says that all seats are taken",
            "we pay for {n} seats and only half of them can be used",
            "people we deactivated still count as licences",
            "the invitation link reports that the seat limit is reached",
            "guest accounts suddenly use up paid seats",
        ),
        ("We bought {n} more in {month}.", "Two people left last week.", "New staff starts on the {day}.", "How do I free them?"),
    ),
    Theme(
        "app-crash",
        "mobile app",
        "phone app",
        ("App crashes at start", "Phone app closes itself", "App broken after update"),
        (
            "the app closes right after the logo appears",
            "since version {n} the app crashes when I take a photo",
            "the tablet app freezes as soon as I turn the device",
            "opening an attachment throws me out of the app",
            "the app drains the battery and then shuts down",
        ),
        ("Reinstalling did not help.", "The phone is {n} months old.", "Field staff cannot work.", "Android and iPhone alike."),
    ),
    Theme(
        "push-missing",
        "mobile app",
        "phone app",
        ("No push notifications", "Alerts arrive late", "Phone stays silent"),
        (
            "push notifications stopped on all our phones",
            "alerts reach my phone {n} hours late",
            "the badge shows {n} although everything was read",
            "I get notifications of a project I left long ago",
            "quiet hours are ignored, the phone rings at night",
        ),
        ("Permissions are granted.", "Mail alerts do come.", "It began on the {day}.", "The web version notifies me."),
    ),
    Theme(
        "offline-lost",
        "mobile app",
        "data loader",
        ("Offline entries lost", "Work done offline is gone", "Sync of app lost data"),
        (
            "everything I entered offline on the {day} is gone",
            "the app says synced, the web shows nothing of it",
            "photos taken in the field are missing after the upload",
            "offline forms are uploaded with yesterday's values",
        ),
        ("That was {n} hours of work.", "The phone had signal again at noon.", "Can you restore it?", "The form is {file}."),
    ),
    Theme(
        "cancel-contract",
        "contract",
        "plans",
        ("Cancellation", "We want to end our subscription", "Notice for {month}"),
        (
            "we want to cancel our subscription at the end of {month}",
            "please confirm our notice, we heard nothing for {n} days",
            "the plan renewed although we gave notice in time",
            "I do not find where to cancel the extra module",
        ),
        ("The contract number is {order}.", "We need it in writing.", "What happens with our data?", "Please no sales call."),
    ),
    Theme(
        "change-plan",
        "contract",
        "plans",
        ("Upgrade to a larger plan", "Price for {n} users", "Change of plan"),
        (
            "we would like to move to the larger plan from {month}",
            "what would {n} users cost us a year",
            "the upgrade button asks for a quote and nobody replies",
            "we were moved to a plan that we never ordered",
            "is the price of {amount} including support",
        ),
        ("We need an offer by {day}.", "A discount was promised.", "The budget is {amount}.", "Who is our contact?"),
    ),
    Theme(
        "data-processing",
        "contract",
        "plans",
        ("Data processing agreement", "Security questionnaire", "Where is our data stored?"),
        (
            "we need a signed data processing agreement",
            "our security team sent a questionnaire with {n} questions",
            "in which country are the backups kept",
            "please list your subprocessors as of {month}",
            "the certificate you sent has expired",
        ),
        ("Legal asks for it.", "The deadline is the {day}.", "A template is attached.", "It blocks our renewal."),
    ),
)

SLOTS: dict[str, tuple[str, ...]] = {
    "n": ("3", "5", "12", "19", "30", "48"),
    "amount": ("EUR 49.00", "EUR 128.50", "1,240 euros", "2,390.00 EUR", "EUR 640", "99 euros"),
    "month": ("January", "March", "May", "June", "September", "November"),
    "day": ("3rd", "8th", "14th", "2026-02-17", "21st", "Monday"),
    "app": ("Salesforce", "HubSpot", "Outlook", "SAP", "Dynamics", "Google Workspace"),
    "order": ("2025-004417", "A-99213", "4500731", "INV-20260117", "88012", "R-7713-02"),
    "file": ("customers_2026.csv", "weekly_sales", "export-final.xlsx", "Q2 overview", "stock_list.csv", "team_lead_v2"),
}

# Contacts in other languages are plainer: two phrases a category.
FOREIGN: dict[str, dict[str, tuple[str, str]]] = {
    "de": {
        "billing": ("auf der letzten Rechnung stimmt der Betrag nicht", "wir haben für diesen Monat keine Rechnung erhalten"),
        "login": ("ich kann mich seit heute nicht mehr anmelden", "die Anmeldung über unser Firmenkonto bricht ab"),
        "integrations": ("die Schnittstelle überträgt keine Daten mehr", "der Abgleich mit unserem Kundensystem bleibt stehen"),
        "imports": ("beim Hochladen gehen die Umlaute verloren", "der Import bleibt bei der Hälfte hängen"),
        "reports": ("die exportierte Tabelle ist leer", "die Summen im Bericht stimmen nicht"),
        "performance": ("die Seiten laden extrem langsam", "beim Speichern kommt ständig eine Zeitüberschreitung"),
        "permissions": ("einem Kollegen fehlen die Rechte für das Projekt", "wir können keine weiteren Benutzer einladen"),
        "mobile app": ("die App stürzt beim Start ab", "auf dem Telefon kommen keine Mitteilungen an"),
        "contract": ("wir möchten unseren Vertrag kündigen", "bitte senden Sie uns ein Angebot für mehr Benutzer"),
    },
    "fr": {
        "billing": ("le montant de la dernière facture est faux", "nous n'avons pas reçu la facture de ce mois"),
        "login": ("je ne peux plus me connecter depuis ce matin", "la connexion avec notre compte d'entreprise échoue"),
        "integrations": ("le connecteur ne transmet plus de données", "la synchronisation avec notre logiciel est bloquée"),
        "imports": ("les accents disparaissent après le chargement", "l'import reste bloqué à la moitié"),
        "reports": ("le fichier exporté est vide", "les totaux du rapport sont faux"),
        "performance": ("les pages sont extrêmement lentes", "l'enregistrement se termine par un délai dépassé"),
        "permissions": ("un collègue n'a pas accès au projet", "nous ne pouvons plus inviter d'utilisateurs"),
        "mobile app": ("l'application se ferme au démarrage", "les notifications n'arrivent plus sur le téléphone"),
        "contract": ("nous voulons résilier notre contrat", "merci de nous envoyer une offre pour plus d'utilisateurs"),
    },
}
