"""Words by which mail clients introduce what they quote, in some forty languages.

The shapes in ``domain.text`` (a date and an address before a colon, labels in a block) decide first; these words help
where a client writes neither.  Everything is matched on case-folded text.
"""

import re

_LABELS = {
    "from": """from|von|de|da|van|fra|från|lähettäjä|od|feladó|de la|от|от кого|від|від кого|από|kimden|gönderen|šalje
        |пошиљалац|од|saatja|kellelt|no|nuo|מאת|من|از|差出人|送信者|发件人|發件人|寄件者|寄件人|보낸 사람
        |보낸사람|발신|발신자|từ|người gửi
        |จาก|dari|daripada|remitent|प्रेषक|expéditeur|remitente|mittente|absender|afzender|avsändare|avsender|afsender
        |odesílatel|odosielateľ|nadawca|pošiljatelj|expeditor|отправитель|відправник|подател|frá|nork|থেকে|d'|desde
        |feladója|пошиљаоц|од кога|prejemnik od|reply from""",
    "sent": """sent|gesendet|envoyé|envoyée|enviado|enviada|enviado el|enviada em|inviato|verzonden|sendt"
    "|skickat|lähetetty|wysłano|wysłane|odesláno
        |odoslané|elküldve|küldve|trimis|изпратено|отправлено|надіслано|στάλθηκε|εστάλη|απεστάλη|gönderildi
        |gönderilme|gönderme tarihi
        |poslano|послато|saadetud|nosūtīts|išsiųsta|נשלח|תאריך|تاريخ الإرسال|أرسلت|أُرسلت|تم الإرسال|التاريخ
        |ارسال شده|تاریخ
        |送信日時|日付|日時|发送时间|日期|時間|时间|寄件日期|傳送日期|傳送時間|보낸 날짜|보낸날짜|날짜|일시
        |đã gửi|ngày|ngày gửi|ส่ง|ส่งเมื่อ|วันที่
        |dikirim|tanggal|dihantar|tarikh|enviat|enviat el|data|date|datum|dato|päiväys|päivämäärä|dátum|дата
        |ημερομηνία
        |tarih|kuupäev|datums|dagsetning|भेजा गया|दिनांक|तारीख|fecha|date d'envoi|verzonden op|sent at|kelt
        |vrijeme|время|час""",
    "to": """to|an|à|para|a|aan|til|till|vastaanottaja|do|komu|címzett|către|до|кому|за|προς|kime|alıcı|prima"
    "|за кога|adressaat|kellele|saaja
        |kam|kam:|gavėjas|אל|إلى|الى|به|宛先|收件人|收件者|받는 사람|받는사람|수신|수신자|đến|tới|người nhận
        |ถึง|kepada|ke|untuk|per a|प्रति
        |destinataire|destinatario|destinatário|empfänger|ontvanger|mottagare|mottaker|modtager|odbiorca
        |prejemnik|pentru
        |получатель|одержувач|получател|til:|nori|per""",
    "cc": """cc|kopie|copie|copia|cópia|kopi|kopia|kopio|kópia|másolat|копия|копія|κοιν|bilgi|副本|抄送|参照"
    "|참조|สำเนา|đồng kính gửi|tembusan
        |bcc|kopija|koopia|עותק|نسخة|کپی|dw|másolatot kap""",
    "subject": """subject|betreff|objet|asunto|oggetto|assunto|onderwerp|emne|ämne|aihe|temat|předmět|predmet"
    "|tárgy|subiect|тема|предмет|относно
        |θέμα|konu|naslov|наслов|zadeva|teema|tēma|temats|tema|נושא|الموضوع|موضوع|件名|主题|主題|主旨|標題|标题
        |제목|chủ đề|tiêu đề|เรื่อง|หัวเรื่อง|หัวข้อ
        |subjek|perihal|subyek|assumpte|विषय|gaia|efni|sujet|вещь|titel""",
    "other": """importance|wichtigkeit|priority|attachments|anlagen|anlage|pièces jointes|reply-to|antwort an"
    "|répondre à|sensitivity
        |adjuntos|allegati|bijlagen|vedhæftede filer|bilagor|liitteet|załączniki|přílohy|вложения|附件
        |添付ファイル|첨부|organization
        |message-id|mailed-by|signed-by|priorität|importancia|prioridad|organisation|resent-from|resent-to
        |user-agent""",
}  # fmt: skip
LABELS = {
    " ".join(word.split()).casefold(): kind
    for kind, words in _LABELS.items()
    for word in words.split("|")
    if word.strip()
}

WROTE = re.compile(
    r"wrote|writes|schrieb|geschrieben|a écrit|écrivait|escribió|escribiste|ha scritto|scriveva|escreveu|schreef"
    r"|heeft[^:\n]{0,200}geschreven|skrev|skreiv|kirjoitti|napisał|pisze|napsal|píše|napísal|napisao|napisala"
    r"|napisano"
    r"|ezt írta|írta|a scris|написа|написал|писал|пишет|пише|напис|έγραψε|yazdı|yazmış|rakstīja|rašė|parašė|kirjutas"
    r"|כתב|كتب|كتابة ما يلي|نوشت|さんは書きました|書きました|のメッセージ|写道|寫道|写入|撰写|님이 작성|작성"
    r"|썼습니다|đã viết|เขียนว่า|เขียน"
    r"|menulis|va escriure|ha escrit|missatge de|ने लिखा|लिखा|idatzi|skrifaði|shkroi|je napisal|je oseba|wróte"
    r"|skribis"
    r"|ysgrifennodd|scríobh|გაწერა|დაწერა|գրել է|yazıb|жазды|লিখেছেন|எழுதியது|రాశారు|написао",
    re.IGNORECASE,
)
OPENS = re.compile(
    r"^\W*(?:on|am|um|le|el|il giorno|il|em|op|den|på|w dniu|dnia|dne|dňa|în|pe|на|в|στις|la|at|kuupäev|in data"
    r"|vào|em\b"
    r"|pada|بتاريخ|في|در تاریخ|בתאריך|ב-|ในวันที่|missatge|v\b|u\b|u\s|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do"
    r"|fr|sa|so"
    r"|lun|mar|mer|jeu|ven|sam|dim|\d{1,4})(?=[\s.,\d/-])",
    re.IGNORECASE,
)
TO_ITSELF = re.compile(
    r"\byou wrote\b|schrieben sie|sie schrieben|du geschrieben|vous (?:m')?avez écrit", re.IGNORECASE
)

ORIGINAL = (
    r"original (?:message|e-?mail|mail|text)|ursprüngliche (?:nachricht|e-?mail)|originalnachricht|original-nachricht"
    r"|message d['’]origine|message original|e-?mail d['’]origine|mensaje original|messaggio (?:originale|originario)"
    r"|mensagem original|oorspronkelijk bericht|origineel bericht|oprindelig (?:meddelelse|besked)"
    r"|original meddelelse"
    r"|ursprungligt meddelande|originalmeddelande|opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna"
    r"|oryginalna wiadomość|původní (?:zpráva|e-?mail)|pôvodná správa|eredeti üzenet|mesaj original|mesajul original"
    r"|оригинално съобщение|исходное (?:сообщение|письмо)|оригинальное сообщение|оригінальне повідомлення"
    r"|вихідне повідомлення|αρχικό μήνυμα|özgün ileti|orijinal (?:mesaj|ileti)|izvorna poruka|originalna poruka"
    r"|оригинална порука|izvirno sporočilo|algne (?:kiri|sõnum)|sākotnējais ziņojums|oriģinālā ziņa|pradinis laiškas"
    r"|originalus laiškas|הודעה מקורית|الرسالة الأصلية|پیام اصلی|元のメッセージ|オリジナルメッセージ|原始邮件"
    r"|原始郵件|原邮件|原始信件"
    r"|원본 메시지|원본 메일|tin nhắn gốc|thư gốc|ข้อความต้นฉบับ|pesan asli|mesej asal|missatge original"
    r"|मूल संदेश|jatorrizko mezua"
)
FORWARDED = (
    r"(?:begin )?forwarded (?:message|mail|e-?mail|by)|weitergeleitete (?:nachricht|e-?mail)"
    r"|(?:anfang der )?weitergeleitete"
    r"|message (?:transféré|réexpédié)|début du message (?:réexpédié|transféré)|mensaje reenviado"
    r"|inicio del mensaje reenviado"
    r"|messaggio inoltrato|inizio messaggio inoltrato|mensagem (?:encaminhada|reencaminhada)|início da mensagem"
    r"|doorgestuurd bericht|begin doorgestuurd|videresendt (?:meddelelse|besked|melding|e-?mail)|start på videresendt"
    r"|vidarebefordrat|välitetty viesti|edelleenlähetetty|przekazana wiadomość|wiadomość przekazana|przekazywan"
    r"|přeposlaná|předaná|preposlan|továbbított|mesaj (?:redirecționat|redirecţionat)|redirec[tțţ]ionat|препратено"
    r"|пересылаемое|пересланное|переслане|переадресованн|пересилається|προωθημένο|προωθημένου|yönlendirilmiş"
    r"|yönlendirilen"
    r"|iletilen|ileti başlangıcı|proslijeđen|прослеђен|prosleđen|posredovan|edastatud|pārsūtīt|persiųst|הועבר|שהועברה"
    r"|مُ?عاد توجيه|محولة|أعيد توجيه|بازارسال|هدایت‌?شده|転送|转发|轉寄|轉發|전달|chuyển tiếp|ส่งต่อ|terusan"
    r"|diteruskan|dimajukan"
    r"|reenviat|अग्रेषित|birbidalitako|áframsent"
)
FORWARD_PREFIXES = frozenset(
    [
        "fwd",
        "fw",
        "wg",
        "tr",
        "rv",
        "i",
        "enc",
        "enc.",
        "doorst",
        "vs",
        "vb",
        "vl",
        "pd",
        "továbbítás",
        "redirecţionat",
        "redirecționat",
        "πρθ",
        "ilt",
        "i̇lt",
        "yönlendirme",
        "转发",
        "轉寄",
        "转寄",
        "轉發",
        "전달",
        "fyi",
        "rvd",
        "fs",
        "hl",
        "edast",
        "nob",
        "nb",
        "preusm",
        "proslijeđeno",
        "prosl",
        "přeposlat",
        "přeposláno",
        "fwd.",
        "fv",
        "vidarebefordrat",
        "пересл",
        "переслано",
        "перенаправлено",
        "пд",
        "הועבר",
        "إعادة_توجيه",
        "転送",
        "chuyển_tiếp",
        "ส่งต่อ",
        "trs",
        "bls_fwd",
        "weitergeleitet",
        "transf",
        "rép_tr",
    ]
)
REPLY_PREFIXES = frozenset(
    [
        "re",
        "aw",
        "sv",
        "antw",
        "ant",
        "odp",
        "ref",
        "rif",
        "res",
        "r",
        "r.",
        "ynt",
        "vá",
        "bls",
        "balas",
        "vs:",
        "vast",
        "ang",
        "atb",
        "რე",
        "答复",
        "回复",
        "回覆",
        "回复:",
        "回信",
        "답장",
        "答覆",
        "svar",
        "tb",
        "ατ",
        "απ",
        "σχετ",
        "ha",
        "yan",
        "отв",
        "відп",
        "відповідь",
        "ответ",
        "yanıt",
        "re.",
        "antwort",
        "réf",
        "rép",
        "resp",
        "返信",
        "השב",
        "رد",
        "trả_lời",
        "ตอบ",
    ]
)

SENT_FROM = re.compile(
    r"sent|gesendet|envoyé|enviado|enviat|inviato|verzonden|verstuurd|sendt|skickat|lähetetty|wysłan|odesláno"
    r"|odoslané"
    r"|küldve|trimis|изпратено|отправлено|надіслано|στάλθηκε|απεστάλη|gönderildi|poslano|послато|saadetud"
    r"|sūtīts|nosūtīts"
    r"|išsiųsta|נשלח|أُ?رسل|ارسال|送信|发自|發自|傳送|从我|從我|보냄|보내|đã gửi|gửi từ|ส่งจาก|dikirim|dihantar"
    r"|भेजा|get|obtenir|obtener"
    r"|télécharger|holen sie|ottieni|download|diperolehi|diese nachricht wurde von meinem|mobil|bidalia",
    re.IGNORECASE,
)
DEVICE = re.compile(
    r"iphon|ipad|ipod|android|galaxy|samsung|huawei|xiaomi|blackberry|windows[ -]?phone|lumia|nokia|sony"
    r"|oneplus|pixel"
    r"|outlook|yahoo|proton ?mail|\[proton|mail (?:for|für|pour|para|voor|per) windows|windows mail|gmail|spark"
    r"|airmail"
    r"|my mobile|mein(?:em)? (?:handy|mobil)|bluemail|k-9|fairemail|thunderbird|gmx|web\.de|mail\.ru|myMail|aquamail"
    r"|hotmail|tutanota|tuta|smartphone|tablet|aol|zoho|orange|t-online|libero|seznam|smartfon|telefon|mobiltelefon"
    r"|手机|手機|スマートフォン|휴대폰|телефон|foxmail|qq邮箱|網易|网易",
    re.IGNORECASE,
)
SENT_WITH = re.compile(
    r"^\W*(?:sent (?:with|via|using)|gesendet mit|envoyé avec|enviado con|inviato con|verzonden met)\b", re.IGNORECASE
)
REPLY_ABOVE = re.compile(
    r"(?:type|write|enter) your reply above|reply above this line|please reply above"
    r"|antwort(?:en sie)? (?:bitte )?(?:oberhalb|über)"
    r"|répon(?:dez|se) au-dessus|responda (?:por )?encima|##-",
    re.IGNORECASE,
)
