"""What mermaid calls the colours of our paper and ink."""

from generation.diagrams.theme import (
    EDGE,
    FONT,
    INK,
    INK_SOFT,
    LAPIS,
    LAPIS_WASH,
    OCHRE_WASH,
    PAPER,
    RECESS,
    RED,
    RED_WASH,
    RULE,
    SERIES,
    WASHES,
)

TEXT = {"titleColor": INK, "primaryTextColor": INK, "textColor": INK, "fontFamily": FONT, "fontSize": "15px"}
SCALE = {f"cScale{place}": wash for place, wash in enumerate(WASHES * 2)}
SCALE_LABELS = {f"cScaleLabel{place}": INK for place in range(12)}
PIE = {f"pie{place + 1}": tone for place, tone in enumerate(SERIES * 2)}
GIT = {f"git{place}": tone for place, tone in enumerate(SERIES)}
GIT_LABELS = {f"gitBranchLabel{place}": PAPER for place in range(8)}
ACTORS = {f"actor{place}": tone for place, tone in enumerate(SERIES[:6])}
QUADRANTS = {f"quadrant{place + 1}Fill": wash for place, wash in enumerate((LAPIS_WASH, RECESS, PAPER, OCHRE_WASH))}
VARIABLES = {
    **TEXT, **SCALE, **SCALE_LABELS, **PIE, **GIT, **GIT_LABELS, **ACTORS, **QUADRANTS,
    "background": PAPER, "mainBkg": RECESS, "nodeBorder": EDGE, "clusterBkg": PAPER, "clusterBorder": RULE,
    "primaryColor": RECESS, "primaryBorderColor": EDGE, "secondaryColor": LAPIS_WASH, "tertiaryColor": OCHRE_WASH,
    "secondaryBorderColor": EDGE, "tertiaryBorderColor": EDGE, "lineColor": INK_SOFT, "edgeLabelBackground": PAPER,
    "noteBkgColor": OCHRE_WASH, "noteBorderColor": EDGE, "noteTextColor": INK,
    "actorBkg": RECESS, "actorBorder": EDGE, "actorLineColor": EDGE, "sequenceNumberColor": PAPER,
    "signalColor": INK_SOFT, "signalTextColor": INK,
    "activationBkgColor": LAPIS_WASH, "activationBorderColor": EDGE, "labelBoxBkgColor": RECESS,
    "labelBoxBorderColor": EDGE, "transitionColor": INK_SOFT, "compositeBackground": PAPER, "altBackground": RECESS,
    "sectionBkgColor": RECESS, "altSectionBkgColor": PAPER, "sectionBkgColor2": RECESS, "gridColor": RULE,
    "taskBkgColor": LAPIS_WASH, "taskBorderColor": LAPIS, "taskTextColor": INK, "taskTextOutsideColor": INK,
    "taskTextDarkColor": INK, "activeTaskBkgColor": OCHRE_WASH, "activeTaskBorderColor": EDGE,
    "doneTaskBkgColor": RECESS, "doneTaskBorderColor": EDGE, "critBkgColor": RED_WASH, "critBorderColor": RED,
    "todayLineColor": RED, "pieStrokeColor": PAPER, "pieOuterStrokeColor": EDGE, "pieOpacity": "1",
    "pieSectionTextColor": PAPER, "pieTitleTextSize": "18px", "quadrantPointFill": LAPIS,
    "xyChart": {"backgroundColor": PAPER, "plotColorPalette": ", ".join(SERIES)},
}  # fmt: skip
