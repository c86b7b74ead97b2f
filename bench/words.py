"""What customers of a shop write about, in several languages: the material of ``bench.generate``."""

import random

from chalicelib.domain.people import Role

AGENTS = ("lina", "ben", "chloe", "dario", "emma", "femi", "greta", "hugo", "ines", "jonas")
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
USUAL_CHARS = 260
MAX_CHARS = 6_000


def name(luck: random.Random) -> str:
    return f"{luck.choice(GIVEN)} {luck.choice(LAST)}"


def subject(luck: random.Random) -> str:
    return luck.choice(SUBJECTS).format(order=luck.randrange(10_000, 99_999), thing=luck.choice(THINGS))


def text(luck: random.Random, usual_chars: int = USUAL_CHARS) -> str:
    """A few sentences; most are short, some run to pages."""
    wanted = min(MAX_CHARS, int(luck.lognormvariate(0, 0.9) * usual_chars))
    said = luck.choice(SENTENCES)
    while len(said) < wanted:
        said += luck.choice((" ", " ", "\n\n")) + luck.choice(SENTENCES)
    return said
