"""Who reads the letter: names, towns and mail domains, all of them invented.

Every domain is reserved (``.example``, ``example.com``, ``.org``, ``.net``), so nobody can own an address of it.
"""

from __future__ import annotations

from typing import NamedTuple


class Domain(NamedTuple):
    """A mail domain: how its server talks, which names its users have, how many readers of 1,000 it has."""

    name: str
    style: str
    locale: str
    weight: float
    mx: str
    greylists: bool = False


class Locale(NamedTuple):
    """Names and towns of one language."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    towns: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LOCALES = {
    "en": Locale(
        _words("Alice Ben Cora Dylan Edith Finn Grace Harry Isla Jack Kate Liam Maud Noel Olive Piers Quinn Rose Sam Tess Una Victor Wren Yusuf Zara"),
        _words("Ashdown Birch Calloway Drake Ellery Farrow Gale Holloway Ives Jarrow Kestrel Lockwood Marsh Nettle Oakes Penrose Quayle Rudd Sallow Thorne Underhill Vane Wick Yarrow"),
        ("Portwick", "St. Annes-on-Sea", "Great Haven", "Ferry Point", "Kings Staithe"),
    ),
    "de": Locale(
        _words("Anna Bernd Clara Dieter Elke Frieda Günther Heike Jürgen Käthe Lukas Maja Nils Ökkes Petra Rüdiger Sabine Till Ulrike Wiebke"),
        _words("Albers Brüning Claasen Dirksen Ehlers Fährmann Groß Hansen Jäger Köster Lührs Möller Nissen Petersen Reimers Schütt Thöle Voß Wölk"),
        ("Hafenstadt", "Klein Sörup", "Möwenort", "Bad Strand"),
    ),
    "fr": Locale(
        _words("Agnès Benoît Chloé Damien Élodie François Gaëlle Hervé Inès Jérôme Léa Mathéo Noémie Océane Pascal Rémi Solène Théo Valérie Zoé"),
        _words("Aubert Bélanger Corbière Duhamel Évrard Fontaine Guérin Hébert Jaouen Kermarec Lefèvre Marchand Noël Pêcheur Quéré Rivière Séguin Tanguy"),
        ("Port-Rêvé", "La Digue", "Saint-Malin", "L'Anse-aux-Pins"),
    ),
    "es": Locale(
        _words("Álvaro Begoña Carmen Diego Elena Félix Gloria Hugo Inés Joaquín Lucía Marcos Nuria Óscar Pilar Raúl Sofía Tomás Ximena"),
        _words("Acuña Benítez Castaño Domínguez Espínola Fariñas Gálvez Herrero Ibáñez Júcar Lobo Muñiz Núñez Ordóñez Peña Quirós Rincón Sáez"),
        ("Puerto Alto", "Bahía Clara", "Cala Nueva"),
    ),
    "it": Locale(
        _words("Ada Bruno Chiara Dario Elisa Fausto Giulia Ivano Lia Marco Nadia Orazio Paola Renzo Silvia Tullio Vera"),
        _words("Amato Bellini Costa Darsena Esposito Faro Gallo Isola Liguori Marini Nave Onda Porto Riva Scogli Tramontana"),
        ("Porto Lieto", "Molo Vecchio", "Città di Mare"),
    ),
    "pt": Locale(
        _words("Amália Bento Conceição Duarte Eulália Fábio Gonçalo Helena Inácio João Lúcia Matilde Nélson Otávio Rita Simão Teresa"),
        _words("Almada Barros Conceição Dias Esteves Farol Gouveia Leitão Magalhães Negrão Oliveira Praia Quintão Ribeira Salgado"),
        ("Vila do Cais", "Praia Funda", "São Brás"),
    ),
    "nl": Locale(
        _words("Aart Bregje Coen Dirkje Evert Femke Gijs Hanneke Joost Klaas Lieke Maarten Nienke Pieter Sanne Teun Wouter"),
        ("Bakker", "de Boer", "van Dijk", "Haven", "Kuiper", "Meijer", "van der Sluis", "Visser", "Zeeman"),
        ("Oudehaven", "'t Zand", "Sluisdorp"),
    ),
    "pl": Locale(
        _words("Agnieszka Bartosz Celina Dorota Emil Gosia Henryk Iwona Jacek Kasia Łucja Marek Nina Oskar Paweł Róża Sławek Zofia"),
        _words("Bąk Cieślak Dąbek Filipiak Głowacki Jeziorski Kędzior Łoś Morski Nawrocki Ostrowski Portowa Rybak Śliwa Wąs Żagiel"),
        ("Portowo", "Nowa Keja", "Łódeczka"),
    ),
    "ru": Locale(
        _words("Anton Boris Vera Galina Darya Egor Zhanna Ivan Kirill Lidia Maxim Nina Oleg Polina Roman Svetlana"),
        _words("Belov Volnov Gavanskaya Dubrov Zimin Kormilov Lodkin Morskoy Ozerova Parusov Rechnoy Solenova"),
        ("Gavan", "Novy Prichal"),
    ),
    "ja": Locale(
        _words("Aiko Daichi Emi Fumio Haruka Isamu Kaede Makoto Naoko Riku Sakura Takumi Yumi"),
        _words("Aoki Endo Fukuda Hamada Ishii Kawara Minato Nagisa Okita Shima Tanabe Umino"),
        ("Minatomachi", "Aohama"),
    ),
    "zh": Locale(
        _words("Bo Chen Fang Hui Jia Lan Mei Ning Ping Qing Rui Tao Wei Xin Yu"),
        _words("Bai Cao Deng Gao He Jiang Liu Ma Pan Shen Tang Wu Xu Zhao"),
        ("Gangkou", "Xinwan"),
    ),
    "ko": Locale(
        _words("Areum Bora Chanho Dahye Eunji Haneul Jiho Kyung Minseo Narae Sora Taeyang Yuna"),
        _words("An Baek Cho Ha Jang Kang Moon Noh Ryu Seo Yoon"),
        ("Hangpo", "Badari"),
    ),
    "tr": Locale(
        _words("Ayşe Burak Cemile Deniz Elif Ferhat Gülşen Hakan İpek Kemal Leyla Murat Özge Pınar Selçuk Tülay"),
        _words("Akdeniz Balıkçı Çınar Dalgıç Erdoğdu Güneş İskele Kaptan Limancı Öztürk Rıhtım Şahin Yelken"),
        ("Limanköy", "Güzeliskele"),
    ),
    "cs": Locale(
        _words("Alena Bořek Dana Eliška František Hana Ivo Jiří Květa Lenka Matěj Nela Ondřej Růžena Štěpán Tereza Zdeněk"),
        _words("Bárta Čermák Dvořáček Fiala Horák Jelínek Kříž Lodník Mořský Novotná Říha Svoboda Veselá Zátoka"),
        ("Přístavov", "Nová Loděnice"),
    ),
    "sv": Locale(
        _words("Astrid Björn Cecilia Dag Ebba Folke Gunnel Hjalmar Ingrid Jörgen Kajsa Märta Nils Östen Siv Tore"),
        _words("Ankarstrand Bergström Dahlöv Ekman Fyrö Hallin Kajlund Lindhav Möre Nyström Sandö Åberg"),
        ("Hamnvik", "Lilla Brygga"),
    ),
}

# Big mailbox providers under invented names; what betrays them is how their servers talk.
PROVIDER_DOMAINS = (
    Domain("bigmail.example", "google", "en", 230, "aspmx.l.google.com"),
    Domain("postbox.example", "microsoft", "en", 120, "postbox-example.olc.protection.outlook.com"),
    Domain("yonder.example", "yahoo", "en", 70, "mta7.am0.yahoodns.net"),
    Domain("cloudpost.example", "apple", "en", 40, "mx02.mail.icloud.com"),
    Domain("netzpost.example", "german", "de", 75, "mx00.netzpost.example"),
    Domain("lettre.example", "french", "fr", 60, "smtp-in.lettre.example"),
    Domain("correo.example", "spanish", "es", 45, "mx1.correo.example"),
    Domain("posta.example", "italian", "it", 40, "mx.posta.example"),
    Domain("correio.example", "portuguese", "pt", 35, "mx-a.correio.example"),
    Domain("postvak.example", "dutch", "nl", 35, "mx.postvak.example"),
    Domain("poczta.example", "polish", "pl", 35, "mx.poczta.example"),
    Domain("pochta.example", "russian", "ru", 20, "mxs.pochta.example"),
    Domain("yubin.example", "japanese", "ja", 16, "mx.yubin.example"),
    Domain("youxiang.example", "chinese", "zh", 14, "mx.youxiang.example"),
    Domain("pyeonji.example", "korean", "ko", 12, "mx.pyeonji.example"),
    Domain("eposta.example", "turkish", "tr", 14, "mx.eposta.example"),
    Domain("schranka.example", "czech", "cs", 14, "mx.schranka.example"),
    Domain("brev.example", "swedish", "sv", 20, "mx.brev.example", greylists=True),
)

# Where people work or keep a domain of their own: name, how the server talks, language.
_COMPANIES = """
anchor-and-rope postfix en | chandlery-north exchange en | tidal-maps google en | lantern-books microsoft365 en | oakum-yard exim en
estuary-trust microsoft365 en | pilot-boats sendmail en | driftwood-press google en | gull-and-crane postfix en | lighthouse-hotels gateway en
saltmarsh-school microsoft365 en | canal-freight exchange en | sailmakers-guild qmail en | wharf-theatre google en | seaglass-studio exim en
hafenkontor postfix de | werft-nord exchange de | seekarten-verlag microsoft365 de | fischhalle exim de | reederei-sued gateway de
chantier-bleu postfix fr | librairie-du-quai exim fr | phare-ouest microsoft365 fr | astilleros-sol exchange es | faro-libros postfix es
cantiere-levante sendmail it | cartamare google it | estaleiro-norte postfix pt | haven-advies microsoft365 nl | scheepswerf-oost qmail nl
stocznia-wschod postfix pl | lodenice-stred exim cs | varvet-syd microsoft365 sv | denizcilik-kitap postfix tr
"""
COMPANY_DOMAINS = tuple(
    Domain(f"{name}.example", style, locale, 6.5, f"mail.{name}.example", greylists=name in {"fischhalle", "oakum-yard", "faro-libros"})
    for name, style, locale in (entry.split() for entry in _COMPANIES.replace("\n", "|").split("|") if entry.strip())
) + (
    Domain("example.com", "postfix", "en", 8, "mx.example.com"),
    Domain("example.org", "exim", "en", 8, "mx.example.org"),
    Domain("mail.example.net", "sendmail", "en", 6, "mx.mail.example.net"),
    Domain("bücher-kai.example", "postfix", "de", 3, "mail.xn--bcher-kai-q9a.example"),
)

# Domains that only the planted cases use.
STORY_DOMAINS = (
    Domain("northquay.example", "postfix", "en", 0, "mx1.northquay.example"),
    Domain("saltworks.example", "exim", "en", 0, "mx.saltworks.example"),
    Domain("brigg-and-sons.example", "exchange", "en", 0, "mail.brigg-and-sons.example"),
    Domain("hosted-desk.example", "postfix", "en", 0, "mx.hosted-desk.example"),
    Domain("filet.example", "french", "fr", 0, "smtp-in.filet.example"),
    Domain("pismo.example", "russian", "ru", 0, "mx.pismo.example"),
    Domain("cable.example", "postfix", "en", 0, "mx0.cable.example"),
    Domain("silent-server.example", "postfix", "en", 0, "mx.silent-server.example"),
    Domain("flaky-link.example", "postfix", "en", 0, "mx.flaky-link.example"),
    Domain("no-mail-here.example", "postfix", "en", 0, "no-mail-here.example"),
)

# What slips from the keyboard; none of these domains exists.
TYPO_DOMAINS = tuple(
    Domain(name, "none", "en", 0, name)
    for name in (
        "gmial.example gmai.example gmaill.example hotmial.example hotmai.example yahooo.example yaho.example outlok.example "
        "outloook.example iclould.example bigmial.example postbxo.example exmaple.example exampel.example"
    ).split()
)

DOMAINS = {d.name: d for d in PROVIDER_DOMAINS + COMPANY_DOMAINS + STORY_DOMAINS + TYPO_DOMAINS}

COMPANIES = (
    "", "", "", "", "", "", "Oakum & Co.", "Gull, Crane and Partners", "Werft Nord GmbH & Co. KG", "Librairie du Quai", 'The "Lantern" Bookshop',
    "Faro Libros, S.L.", "Stocznia Wschód", "Tidal Maps Ltd", "Harbour School", "Çınar Denizcilik",
)
NOTES = (
    "", "", "", "", "", "", "", "", "met at the boat fair, stand 12", 'asked for the "tide tables" issue', "prefers French; écrit en français",
    "renews in May", "ship's carpenter, retired", "called twice:\nlate issue, wrong name", "Größe der Karte: A2, gefaltet", "library copy, 3 readers",
    "paid by invoice\nsee folder \"2025, harbour\"",
)
