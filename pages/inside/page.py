"""Inside the model: a lesson in seven steps, every figure computed from the chosen picture."""

import streamlit as st

from pages.inside import experiments, questions, screens
from pages.inside.share import share
from pages.inside.texts import NAMES, STEPS, Step
from pages.inside.worksheet import for_teachers
from pages.shared import carried, engine
from pages.shared.sources import Source, choose
from pages.shared.words import literal
from sdae import BitstreamError, ImageError, WeightsError

# One view fills a screen of 1280×720, a beamer's, without a mode of its own.
_STYLE = """
<style>
@media (min-width: 641px) { .st-key-heading { margin-bottom: -0.5rem; } }
[data-testid=stMainBlockContainer] { padding-bottom: 0.5rem; }
.st-key-lesson [data-testid=stVerticalBlock] { gap: 0.5rem; }
.st-key-lesson .stDownloadButton button[kind=tertiary] { min-height: 0; padding: 0;
  font-size: 0.8125rem; line-height: 1.2; }
.st-key-lesson :is(.st-key-back, .st-key-next) button { min-height: 2rem; padding: 0 0.75rem; }
.st-key-lesson .sdae-table :is(th, td) { padding: 0.2rem 0.5rem; }
.st-key-lesson [data-testid=stAlertContainer] { padding: 0.4rem 0.75rem; }
.st-key-lesson [role=tabpanel] { padding-top: 0.5rem; }
.st-key-lesson h2 { font-size: 1.25rem; padding: 0; }
.st-key-question img { max-height: 24rem; object-fit: contain; }
.st-key-lead [data-testid=stMarkdownContainer] { margin-bottom: 0; }
.st-key-lead p { font-size: 0.9375rem; line-height: 1.45; margin: 0; }
@media (max-width: 640px) {
  .st-key-step [role=radiogroup] { flex-wrap: wrap; mask: none; padding-right: 1px; }
  .st-key-step button { flex: 1 1 20%; }
}
</style>
"""


def main() -> None:
    st.html(_STYLE)
    with st.container(key="lesson"):
        stage, panel = st.columns([9, 2], gap="medium")  # settings come last on a phone
        with panel:
            source = carried.source() or chosen_source()
            quality = st.slider("Quality", 1, 100, 75, key="quality", bind="query-params")
            panel = st.container()
        with stage:
            name = st.segmented_control(
                "Step",
                NAMES,
                default=NAMES[0],
                required=True,
                key="step",
                bind="query-params",
                label_visibility="collapsed",
                width="stretch",
            )
            number = NAMES.index(name)
            heading(number)
            screen = st.container()
        with screen:
            try:
                if source is None:
                    st.info("Take a picture with the camera.", icon=":material/photo_camera:")
                else:
                    show(source, quality, number, panel)
            except (ImageError, BitstreamError) as error:
                st.error(f"{literal(source.name)}: {error}", icon=":material/error:")
            except WeightsError as error:
                st.error(str(error), icon=":material/error:")
        with panel:
            notes(STEPS[number])
            share()


def chosen_source() -> Source | None:
    with st.popover("Another picture", icon=":material/image:", width="stretch"):
        return choose()


def heading(number: int) -> None:
    """The title of a step, the way to its neighbours, and what to look at."""
    step = STEPS[number]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(f"{number + 1} · {step.title}", anchor=False)
        with st.container(horizontal=True, horizontal_alignment="right", width="content"):
            for label, icon, other in (
                ("Back", ":material/arrow_back:", number - 1),
                ("Next", ":material/arrow_forward:", number + 1),
            ):
                inside = 0 <= other < len(STEPS)
                st.button(
                    label,
                    icon=icon,
                    on_click=go,
                    args=[NAMES[other] if inside else step.name],
                    disabled=not inside,
                    help=STEPS[other].title if inside else None,
                    key=label.lower(),
                )
    with st.container(key="lead"):
        st.markdown(step.lead)


def go(name: str) -> None:
    st.session_state["step"] = name


def show(source: Source, quality: float, number: int, panel) -> None:
    data = engine.open_file(source.data).png if source.is_sdae else source.data
    shown = experiments.subject(data, quality)
    width, height = shown.picture.size
    answered = questions.answered(number, shown)
    with panel:
        if answered:  # a question has it beside it
            st.image(shown.picture.png, alt=f"{source.name}, the picture of the lesson")
        st.caption(
            f"{width} × {height} pixels"
            + (
                "."
                if shown.picture.size == shown.picture.full
                else f"; scaled down from {shown.picture.full[0]} × {shown.picture.full[1]} so that "
                "every answer is quick."
            )
        )
        for_teachers(shown)
    if answered:
        screens.show(STEPS[number].name, shown)


def notes(step: Step) -> None:
    """The formula with its sources, and the exercises with hidden answers."""
    with st.popover("Formula and exercises", icon=":material/function:", width="stretch"):
        st.markdown(step.formula)
        st.markdown(step.sources)
        for number, (question, answer) in enumerate(step.exercises, 1):
            st.markdown(f"**{number}.** {question}")
            with st.expander(f"Answer {number}", type="compact"):
                st.markdown(answer)


main()
