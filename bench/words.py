"""What customers of a shop write about, in several languages: the material of ``bench.generate``."""

import random

from chalicelib.domain.people import Role

AGENTS = ("Lina", "Ben", "Chloe", "Dario", "Emma", "Femi", "Greta", "Hugo", "Ines", "Jonas")
FAMILIES = ("Meyer", "Okafor", "Dubois", "Rossi", "Novak", "Adeyemi", "Lindqvist", "Moreau", "Costa", "Weber")
ROLES: tuple[Role, ...] = (
    "agent", "admin", "leader", "agent", "agent", "agent", "agent", "agent", "agent", "viewer",
)  # fmt: skip
DOMAINS = ("buyer.example", "mail.example", "post.example", "correo.example", "courriel.example")
TAGS = ("parcel", "refund", "vip", "broken", "invoice", "exchange", "b2b", "size", "gift", "address change")
GIVEN = (
    "Anna", "Jean", "Carlos", "Miyuki", "Fatima", "Paul", "Zoë", "Łukasz", "Ingrid", "Ahmed", "Sofia", "Thomas",
    "Maria-Luisa", "Björn", "Olga", "Wei", "Kim", "Léa", "Rafael", "Hannah",
)  # fmt: skip
LAST = (
    "Schmidt", "Lefèvre", "García", "Tanaka", "Al-Sayed", "Jansen", "Kowalska", "Hansen", "Silva", "Ivanova",
    "Chen", "O'Brien", "Müller", "Bianchi", "Petit", "Svensson", "Nguyen", "Horvath", "Brown", "van den Berg",
)  # fmt: skip
SUBJECTS = (
    "Where is my parcel? Order {order}", "My {thing} arrived broken", "Order {order}: wrong size",
    "Rechnung zu Bestellung {order} fehlt", "Wo bleibt mein Paket {order}?", "Échange de taille, commande {order}",
    "Ma commande {order} n'est pas arrivée", "¿Dónde está mi pedido {order}?", "Cancel order {order} please",
    "Question about the {thing}", "Refund for order {order}", "注文 {order} について", "Re: Your order {order}",
    "Can I change the delivery address of {order}?", "Gift wrapping for a {thing}", "أين طلبي {order}؟",
    "Two of one {thing}, please", "Parcel {order} was left in the rain",
)  # fmt: skip
THINGS = ("mug", "teapot", "blue bowl", "espresso cup", "planter", "gift set")
SENTENCES = (
    "Hello, I ordered last week and the parcel has still not come.",
    "The tracking page has said the same thing since Tuesday.",
    "Could you please tell me when I can expect it?",
    "One of the two mugs arrived with a crack along its handle.",
    "I attach a photo so that you can see the damage.",
    "Guten Tag, leider fehlt der Lieferung die Rechnung für unsere Buchhaltung.",
    "Könnten Sie sie mir bitte noch einmal als PDF schicken?",
    "Das Paket wurde laut Sendungsverfolgung bei einem Nachbarn abgegeben, den ich nicht kenne.",
    "Bonjour, je souhaiterais échanger la tasse contre un modèle plus grand.",
    "Le colis est arrivé ouvert et il manque une pièce.",
    "Hola, ¿podrían cambiar la dirección de entrega antes de enviarlo?",
    "El pedido llegó muy bien embalado, pero el color no es el de la foto.",
    "先週注文した湯のみがまだ届いていません。配送状況を教えてください。",
    "مرحبا، لم يصل طلبي حتى الآن. هل يمكنكم المساعدة؟",
    "If it cannot be here by Friday I would rather have my money back, since it was meant as a present.",
    "Thank you very much for the quick answer, that helps a lot.",
    "My order number is on the invoice, and I paid by card.",
    "Kind regards from a loyal customer",
)
VOCABULARY = (
    "the of and to in a is that for it was on are as with they at be this from have or by one had not but what all "
    "were when we there can an your which their said if do will each about how up out them then she many some so "
    "these would other into has more her two like him see time could no make than first been its who now people my "
    "made over did down only way find use may water long little very after words called just where most know get "
    "through back much before go good new write our used me man too any day same right look think also around another "
    "came come work three word must because does part even place well such here take why things help put years "
    "different away again off went old number great tell men say small every found still between name should home big "
    "give air line set own under read last never us left end along while might next sound below saw something thought "
    "both few those always looked show large often together asked house world going want school important until form "
    "food keep children feet land side without boy once animals life enough took sometimes four head above kind began "
    "almost live page got earth need far hand high year mother light parts country father let night following picture "
    "being study second eyes soon times story boys since white days ever paper hard near sentence better best across "
    "during today however sure means knew try told young miles sun ways thing whole hear example heard several change "
    "answer room sea against top turned learn point city play toward five using himself usually money seen morning "
    "delivery courier warehouse address invoice payment voucher discount receipt tracking replacement packaging size"
)
COMMON = tuple(VOCABULARY.split())
USUAL_CHARS = 260
MAX_CHARS = 6_000


def name(luck: random.Random) -> str:
    return f"{luck.choice(GIVEN)} {luck.choice(LAST)}"


def subject(luck: random.Random) -> str:
    return luck.choice(SUBJECTS).format(order=luck.randrange(10_000, 99_999), thing=luck.choice(THINGS))


def prose(luck: random.Random, chars: int) -> str:
    """English of exactly this length, as hard to compress as what people write."""
    said: list[str] = []
    while sum(map(len, said)) + len(said) < chars + 12:
        said.append(luck.choice(COMMON))
    return " ".join(said)[: chars - 1].rstrip().ljust(chars - 1, "s") + "."


def text(luck: random.Random, usual_chars: int = USUAL_CHARS) -> str:
    """A few sentences; most are short, some run to pages."""
    wanted = min(MAX_CHARS, int(luck.lognormvariate(0, 0.9) * usual_chars))
    said = luck.choice(SENTENCES)
    while len(said) < wanted:
        said += luck.choice((" ", " ", "\n\n")) + luck.choice(SENTENCES)
    return said
