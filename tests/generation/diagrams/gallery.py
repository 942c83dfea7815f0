"""Real diagrams of each type, as a model writes them: French, emoji, wrapped and styled labels."""

import json

FLOW = """flowchart TD
    A([Début du cours]) --> B{As-tu déjà<br/>programmé ?}
    B -->|Oui, un peu| C[Chapitre 2 : les boucles et tout ce qu'elles permettent de répéter 🎉]
    B -->|Non| D[Chapitre 1]
    D --> C
    subgraph Évaluation
        C --> E[(Base des réponses)]
        E --> F[/Résultat/]
    end
    F -.-> A
    classDef alive fill:#eaeef9,stroke:#2a469c,color:#1e3478
    class C alive"""
SEQUENCE = """sequenceDiagram
    autonumber
    participant N as Navigateur
    participant S as Serveur
    N->>+S: POST /élèves (données)
    Note over S: vérifie, puis écrit 📝
    alt valide
        S-->>N: 201 Créé
    else invalide
        S-->>-N: 422 Corrigez « nom »
    end"""
CLASSES = """classDiagram
    class Animal {
        <<abstract>>
        +String nom
        +int âge
        +seDéplacer() void
    }
    class Chien { +aboyer() void }
    class Oiseau { +float envergure }
    Animal <|-- Chien
    Animal <|-- Oiseau
    Oiseau "1" o-- "2..*" Aile : possède"""
STATES = """stateDiagram-v2
    [*] --> Brouillon
    Brouillon --> Relecture : envoyer
    Relecture --> Brouillon : à corriger
    Relecture --> Publié : accepter
    Publié --> [*]"""
ENTITIES = """erDiagram
    ÉLÈVE ||--o{ RÉPONSE : donne
    QUESTION ||--o{ RÉPONSE : reçoit
    RÉPONSE { int id PK
        string texte
        bool juste }"""
GANTT = """gantt
    title Écrire un cours
    dateFormat YYYY-MM-DD
    section Plan
    Sommaire :done, a1, 2024-01-01, 5d
    section Écriture
    Leçons :active, a2, after a1, 12d
    Exercices :crit, after a2, 6d"""
PIE = 'pie showData\n    title Le temps d\'un élève\n    "Écouter" : 40\n    "Lire" : 35\n    "Rêver 💭" : 25'
MINDMAP = """mindmap
  root((Boucles))
    for
      compter
      parcourir une liste
    while
      attendre
      répéter tant que
    récursion 🌀"""
JOURNEY = "journey\n    title Ma journée\n    section Matin\n      Thé: 5: Moi, Chat\n      Réunion: 2: Moi"
TIMELINE = "timeline\n    title Le livre\n    1450 : Imprimerie\n    1971 : Projet Gutenberg : Livre numérique"
QUADRANT = """quadrantChart
    title Effort et effet
    x-axis Peu d'effort --> Beaucoup
    y-axis Peu d'effet --> Beaucoup
    Relire: [0.3, 0.8]
    Tout réécrire: [0.9, 0.6]"""
CHART = """xychart-beta
    title "Ventes"
    x-axis [jan, "fév", mar]
    y-axis "k€" 0 --> 10
    bar [5, 6, 9]
    line [4, 7, 8]"""
GIT = "gitGraph\n    commit\n    branch essai\n    commit\n    checkout main\n    merge essai\n    commit"
MERMAID = {
    "flow": FLOW, "sequence": SEQUENCE, "classes": CLASSES, "states": STATES, "entities": ENTITIES, "gantt": GANTT,
    "pie": PIE, "mindmap": MINDMAP, "journey": JOURNEY, "timeline": TIMELINE, "quadrant": QUADRANT, "chart": CHART,
    "git": GIT,
}  # fmt: skip

MONTHS = [
    {"mois": month, "élèves": base + more, "cours": course}
    for course, base in (("Boucles", 20), ("Récursion", 8))
    for month, more in (("jan", 0), ("fév", 9), ("mar", 4), ("avr", 15))
]
BARS = {
    "title": "Élèves par mois 🎓",
    "data": {"values": MONTHS},
    "mark": "bar",
    "encoding": {
        "x": {"field": "mois", "type": "ordinal", "sort": None},
        "y": {"aggregate": "sum", "field": "élèves", "type": "quantitative"},
        "color": {"field": "cours", "type": "nominal"},
    },
}
LINES = {
    "data": {"values": MONTHS},
    "mark": {"type": "line", "point": True},
    "encoding": {
        "x": {"field": "mois", "type": "ordinal", "sort": None},
        "y": {"field": "élèves", "type": "quantitative"},
        "color": {"field": "cours", "type": "nominal"},
    },
}
VEGALITE = {"bars": json.dumps(BARS), "lines": json.dumps(LINES)}

GRAPHVIZ = {"tree": 'digraph { rankdir=LR; "Début" -> "Été 🎉" [label="à faire"]; "Été 🎉" -> Fin; Fin -> "Début" }'}
CLASS_DIAGRAM = """class Élève {
  nom : String
  lire() : void
}
class Cours
Élève --> Cours : suit
note right of Cours : gratuit"""
TALK = "@startuml\nÉlève -> Maître : Qu'est-ce qu'une boucle ?\nMaître --> Élève : Répète 🎉\n@enduml"
PLANTUML = {"model": CLASS_DIAGRAM, "talk": TALK}

EVERYTHING = [
    *(("mermaid", *each) for each in MERMAID.items()),
    *(("vegalite", *each) for each in VEGALITE.items()),
    *(("graphviz", *each) for each in GRAPHVIZ.items()),
    *(("plantuml", *each) for each in PLANTUML.items()),
]
