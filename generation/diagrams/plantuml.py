"""PlantUML, where it is installed. Its sandbox opens no file and no address; releases before 1.2020.11, Debian's among
them, have none: so what could name a file or an address is refused before they see it.
"""

import os
import re
import subprocess

from generation.diagrams.theme import EDGE, INK, INK_SOFT, OCHRE_WASH, RECESS

COMMAND = ["plantuml", "-tsvg", "-pipe", "-charset", "UTF-8", "-nometadata", "-Playout=smetana"]
SANDBOX = "-DPLANTUML_SECURITY_PROFILE=SANDBOX -Djava.awt.headless=true -Xmx400m -XX:+UseSerialGC"
FILLED = ("Participant", "Actor", "Class", "Object", "State", "Activity", "Component", "Usecase", "Node", "Rectangle")
STYLE = "".join(
    f"skinparam {name} {value}\n"
    for name, value in (
        ("backgroundColor", "transparent"),
        ("shadowing", "false"),
        ("defaultFontName", "DejaVu Sans"),
        ("defaultFontColor", INK),
        ("arrowColor", INK_SOFT),
        ("sequenceLifeLineBorderColor", EDGE),
        ("noteBackgroundColor", OCHRE_WASH),
        ("noteBorderColor", EDGE),
        *((f"{each}BackgroundColor", RECESS) for each in FILLED),
        *((f"{each}BorderColor", EDGE) for each in FILLED),
    )
)
# The preprocessor, its functions, pictures and formulas; a block comment could hide any of them.
REFUSED = re.compile(
    r"/'|^\s*!|!\s*(include|import|theme)|%\w+\s*\(|<\s*/?\s*(img|latex|math)|^\s*sprite\b"
    r"|^\s*@start(?!uml|mindmap|wbs|gantt|json|yaml|salt)",
    re.IGNORECASE | re.MULTILINE,
)
START = re.compile(r"\A\s*@start\w+[^\n]*\n")
ERROR = re.compile(r"^ERROR\n(\d+)\n(.*)", re.DOTALL)


def render(code: str) -> str:
    refused = REFUSED.search(code)
    if refused:
        line = code.count("\n", 0, refused.end()) + 1
        raise ValueError(
            f"line {line}: {refused[0].strip()} is not allowed here: no includes, macros, images or comments"
        )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "PLANTUML_SECURITY_PROFILE": "SANDBOX",
        "JAVA_TOOL_OPTIONS": SANDBOX,
    }
    request = styled(code).encode()
    drawn = subprocess.run(COMMAND, check=False, input=request, capture_output=True, env=environment)
    if drawn.returncode:
        raise ValueError(complaint(drawn.stderr.decode(errors="replace")))
    return drawn.stdout.decode()


def styled(code: str) -> str:
    """Ours comes first, so that the code may override it. Only @startuml knows this style."""
    start = START.match(code)
    if not start:
        return f"@startuml\n{STYLE}{code}\n@enduml\n"
    return code.replace(start[0], start[0] + STYLE, 1) if "@startuml" in start[0] else code


def complaint(said: str) -> str:
    """Its three lines `ERROR`, number, message, with the number counted in the code we were given."""
    lines = [line for line in said.splitlines() if not line.startswith("Picked up JAVA_TOOL_OPTIONS")]
    error = ERROR.search("\n".join(lines))
    if not error:
        return "\n".join(lines).strip() or "plantuml gave up"
    return f"line {max(1, int(error[1]) - STYLE.count(chr(10)))}: {error[2].strip()}"
