"""What the demo model knows of French and English: the small words to skip, the numbers, and sentences with gaps.

Sentences keep their gaps where grammar asks nothing of what fills them: no agreement, no "de + le".
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Language:
    """One language: `small` words never carry a subject, `articles` may open a phrase, `links` may join its words."""

    code: str
    small: frozenset[str] = field(repr=False)
    articles: frozenset[str]
    links: frozenset[str]
    numbers: dict[str, int]
    notice: str
    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    thoughts: tuple[str, ...]
    about_result: str
    done: str
    begun: str
    refused: str
    nothing: tuple[str, ...]


def vocabulary(text: str) -> frozenset[str]:
    """The words of a text, to look others up in."""
    return frozenset(text.split())


FRENCH = Language(
    code="fr",
    small=vocabulary(
        "le la les l un une des du de d au aux à a et ou où mais donc or ni car que qu qui quoi dont ce cet cette ces c"
        " se s sa son ses leur leurs mon ma mes ton ta tes notre nos votre vos je j tu t il elle on nous vous ils elles"
        " lui y en ne n pas plus moins très trop peu bien aussi ainsi alors après avant avec sans sous sur dans par"
        " pour vers chez entre depuis pendant puis comme si est sont était être été ai as avons avez ont avait avoir"
        " fait faire faut peut peux doit doivent sera serait encore jamais toujours déjà tout tous toute toutes chaque"
        " même autre autres environ selon afin dont lors là ici ça cela celui celle ceux celles rien quel quelle quels"
        " écris écrire rédige rédiger propose proposer réponds répondre donne donner crée créer génère générer veux"
        " voudrais souhaite ajoute ajouter modifie change mets remplace termine évite utilise mots mot maximum minimum"
        " json schéma markdown français française anglais merci bonjour niveau texte sujet suivant suivante rends rend"
        " non aucun aucune mois jours jour semaines semaine heures minutes pages page partir insiste citer"
        " tenir compte est-ce choisis choisir leçon chapitre cours section partie titre standard détaillé court"
        " courte flash"
    ),
    articles=vocabulary("le la les l un une ce cet cette ces"),
    links=vocabulary("de d du des à"),
    numbers={
        "deux": 2,
        "trois": 3,
        "quatre": 4,
        "cinq": 5,
        "six": 6,
        "sept": 7,
        "huit": 8,
        "neuf": 9,
        "dix": 10,
        "onze": 11,
        "douze": 12,
        "treize": 13,
        "quatorze": 14,
        "quinze": 15,
        "seize": 16,
        "vingt": 20,
    },
    notice="Texte du modèle de démonstration : il reprend les mots de la demande et ne sait rien du sujet.",
    sentences=(
        "On commence par {0}, puis on regarde {1} de plus près.",
        "Trois repères suffisent ici : {0}, {1} et {2}.",
        "Pour {0}, le plus simple est de partir d'un exemple concret.",
        "Entre {0} et {1}, le lien se voit dès le premier essai.",
        "Rien n'oblige à tout faire d'un coup : d'abord {0}, ensuite {1}.",
        "Un point mérite l'attention : {0}.",
        "Dans la pratique, on observe {0} avant de toucher au reste.",
        "La question utile est la suivante : que faire avec {0} sans perdre de vue {1} ?",
        "Sans {0}, il serait difficile d'expliquer {1}.",
        "Cette étape relie {0} et {1} sans rien ajouter d'inutile.",
        "On retient surtout **{0}**, qui servira de fil pour la suite.",
        "Un exemple court avec {0} vaut mieux qu'une longue définition.",
        "Il reste {0} : on y revient plus loin avec {1}.",
        "Chaque vérification porte sur {0}, jamais sur une impression.",
        "Le résultat se mesure avec {0} et se discute avec {1}.",
        "Pour finir, on compare {0} et {1}, puis on note ce qui manque.",
    ),
    questions=(
        "Que faut-il retenir sur {0} ?",
        "Quel lien voyez-vous entre {0} et {1} ?",
        "Comment expliquer {0} avec un exemple ?",
        "Que se passe-t-il sans {0} ?",
    ),
    thoughts=(
        "La demande tourne autour de trois mots : {0}, {1} et {2}.",
        "Je pars sur {0}, puis je passe par {1}.",
        "Je garde {0} pour la fin et je reste bref.",
    ),
    about_result="L'outil a répondu : « {0} ».",
    done="C'est fait ; ce changement peut être annulé.",
    begun="C'est lancé ; le travail continue de son côté.",
    refused="L'outil a refusé ({0}) ; rien n'a changé.",
    nothing=("la demande", "la première étape", "la suite", "un exemple", "le résultat"),
)

ENGLISH = Language(
    code="en",
    small=vocabulary(
        "the a an of to in on at by for from with without into onto over under about around between and or but nor so"
        " if then than that this these those it its he she they them his her their we us our you your i me my is are"
        " was were be been being am do does did done has have had having can could may might must shall should will"
        " would not no yes as all any each every both few more most some such only own same too very just also there"
        " here when where why how what which who whom whose up down out off again once because while during before"
        " after above below write make create give answer please propose generate produce return use using add change"
        " set update want need like words word maximum minimum json schema markdown english french text one"
        " approximately roughly exactly least level following months days weeks hours minutes pages page choose lesson"
        " chapter course section part title brief standard detailed short flash"
    ),
    articles=vocabulary("the a an this these"),
    links=vocabulary("of"),
    numbers={
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
        "eleven": 11,
        "twelve": 12,
        "thirteen": 13,
        "fourteen": 14,
        "fifteen": 15,
        "sixteen": 16,
        "twenty": 20,
    },
    notice="Demo model text: it reuses the words of the request and knows nothing of the subject.",
    sentences=(
        "We begin with {0} and then look at {1} more closely.",
        "Three landmarks are enough here: {0}, {1} and {2}.",
        "For {0}, the simplest way is to start from a concrete example.",
        "Between {0} and {1}, the link shows at the first attempt.",
        "Nothing asks for everything at once: first {0}, then {1}.",
        "One point deserves attention: {0}.",
        "In practice, one watches {0} before touching the rest.",
        "The useful question is this: what to do with {0} without losing sight of {1}?",
        "Without {0}, it would be hard to explain {1}.",
        "This step connects {0} with {1} and adds nothing idle.",
        "Above all, keep **{0}** in mind as the thread of what follows.",
        "A short example with {0} is worth more than a long definition.",
        "That leaves {0}, to which we return later with {1}.",
        "Every check rests on {0}, never on an impression.",
        "The outcome is measured with {0} and discussed with {1}.",
        "To close, we compare {0} with {1} and note what is missing.",
    ),
    questions=(
        "What should one remember about {0}?",
        "What link do you see between {0} and {1}?",
        "How would you explain {0} with an example?",
        "What happens without {0}?",
    ),
    thoughts=(
        "The request turns on three words: {0}, {1} and {2}.",
        "I start from {0} and then pass through {1}.",
        "I keep {0} for the end and stay brief.",
    ),
    about_result="The tool answered: “{0}”.",
    done="It is done; this change can be undone.",
    begun="It has begun; the work goes on by itself.",
    refused="The tool refused ({0}); nothing was changed.",
    nothing=("the request", "the first step", "the sequel", "an example", "the result"),
)
