"""A French course on relational databases, with everything that a manuscript can hold."""

from generation.manuscripts import (
    Choice,
    Exercise,
    Figure,
    Heading,
    Manuscript,
    Notice,
    Prose,
    Question,
)

TABLES_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="420" height="150" viewBox="0 0 420 150">
<g font-family="sans-serif" font-size="14" fill="none" stroke="#1e1c19">
<rect x="10" y="20" width="140" height="100"/><rect x="270" y="20" width="140" height="100"/>
<path d="M150 70 H270" stroke="#2a469c" stroke-width="2"/>
<g fill="#1e1c19" stroke="none"><text x="24" y="44">élève</text><text x="24" y="72">id</text>
<text x="24" y="94">prénom</text><text x="284" y="44">note</text><text x="284" y="72">élève_id</text>
<text x="284" y="94">valeur</text></g></g></svg>"""

TREE_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 120" width="300" height="120">
<g stroke="#7a5200" fill="#f9f0da"><path d="M150 30 L70 90 M150 30 L230 90"/><circle cx="150" cy="30" r="22"/>
<circle cx="70" cy="90" r="22"/><circle cx="230" cy="90" r="22"/></g>
<g font-family="sans-serif" font-size="14" text-anchor="middle" fill="#1e1c19"><text x="150" y="35">42</text>
<text x="70" y="95">17</text><text x="230" y="95">77</text></g></svg>"""

LESSON = """Une **base relationnelle** range les faits dans des *tables* : une ligne par fait, une colonne par
propriété. Edgar F. Codd l’a décrite en 1970 ; « relation » y veut dire *ensemble de n-uplets*, rien de plus.

## Un exemple

| Prénom | Matière | Note |
|:-------|:-------:|-----:|
| Zoé    | Maths   | 17,5 |
| Noël   | Grec    | 12   |
| Łukasz | 中文    | 14   |

La requête suivante donne la moyenne de chaque élève :

```sql
SELECT prénom, AVG(valeur) AS moyenne  -- les élèves sans note manquent
FROM élève JOIN note ON note.élève_id = élève.id
WHERE valeur >= 10
GROUP BY prénom;
```

### Ce qu’il faut retenir

1. Une clé primaire identifie **une** ligne.
2. Une clé étrangère y renvoie :
   - elle peut manquer (`NULL`) ;
   - elle ne peut pas mentir.
3. La moyenne est $\\bar{x} = \\frac{1}{n}\\sum_{i=1}^{n} x_i$, et $x_{min} \\leq \\bar{x} \\leq x_{max}$.

> « Les données survivent aux programmes. »

Pour aller plus loin : [la documentation](https://www.postgresql.org/docs/). Bravo 🎉,
Ελληνικά, Кириллица, 日本語, 한국어 !
"""

NORMAL_FORMS = """Une table est en **troisième forme normale** quand chaque colonne dépend *de la clé, de toute
la clé, et de rien d’autre que la clé*.

* Première forme : des valeurs atomiques, pas de `"maths, grec"`.
* Deuxième forme : aucune colonne ne dépend d’une partie de la clé.
* Troisième forme : aucune colonne ne dépend d’une autre colonne.

Un calcul : 5 × 3 = 15 ≠ 16, et le prix passe de 12 $ à 15 $ (25 %).
"""

RIGHT = "Elle identifie chaque ligne"  # a right answer shows as a choice in any case; only that it is right must not
EXPECTED = "Parce que le prénom n’est pas unique : deux élèves peuvent s’appeler Zoé."
EXPLANATION = "La clé **ne change pas** et ne se répète pas ; un prénom fait les deux."

QUIZ = Exercise(
    "Les clés",
    (
        Question(
            "À quoi sert une clé primaire ?",
            (
                Choice("Elle trie la table", False),
                Choice(RIGHT, True),
                Choice(
                    "Elle chiffre les données, ce qui est une réponse assez longue pour tenir sur deux lignes", False
                ),
            ),
            explanation="Le tri est l’affaire de `ORDER BY`.",
        ),
        Question(
            "Que peut contenir une clé étrangère ?",
            (Choice("NULL", True), Choice("Une clé qui existe", True), Choice("N’importe quoi", False)),
            is_multiple=True,
            explanation="Elle manque ou elle renvoie à une ligne.",
        ),
    ),
)
OPEN = Exercise(
    "Pourquoi une clé",
    (
        Question(
            "Pourquoi le prénom n’est-il pas une bonne clé ?\nDonnez un exemple.", (), False, EXPECTED, EXPLANATION
        ),
        Question("Quelle requête compte les élèves « sans note » ?", expected="SELECT COUNT(*) … LEFT JOIN … IS NULL"),
    ),
)

DATA = {
    "title": "Les bases de données relationnelles",
    "chapters": [
        {
            "title": "Les tables",
            "exercises": [
                {"questions": [{"answers": [{"text": RIGHT, "is_correct": True}], "explanation": EXPLANATION}]}
            ],
            "evaluation": {"questions": [{"text": "Pourquoi ?", "expected": EXPECTED}]},
        }
    ],
}

COURSE = Manuscript(
    title="Les bases de données relationnelles",
    language="fr",
    description="Un cours pour débuter : tables, clés et formes normales, avec des exercices « corrigés ».",
    authors=("Ada Lovelace", "Modèle de démonstration"),
    blocks=(
        Heading(1, "Les tables"),
        Heading(2, "Ranger des faits"),
        Prose(LESSON),
        Figure("mermaid", "erDiagram\n  ELEVE ||--o{ NOTE : reçoit", "deux tables liées par une clé", TABLES_SVG),
        Heading(2, "Les clés"),
        Notice("Version de secours : cette partie n’a pas pu être écrite ; voici ce qu’elle devait dire."),
        Prose("Choisir une clé qui ne change jamais. ✅"),
        QUIZ,
        Heading(1, "Les formes normales"),
        Heading(2, "La troisième forme"),
        Prose(NORMAL_FORMS),
        Figure("plantuml", "@startuml\nA -> B : «dépend»\n@enduml", "une dépendance"),
        Figure("graphviz", "digraph { 42 -> 17; 42 -> 77 }", "un index est un arbre", TREE_SVG),
        OPEN,
    ),
    data=DATA,
)
