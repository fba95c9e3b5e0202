"""Kodak: everything that was measured, and what the original work says of itself."""

import streamlit as st

from pages.kodak import claims, noise, pictures, rates, training
from pages.kodak.provenance import provenance
from sdae import WeightsError, weights
from sdae.measuring.results import Results

VIEWS = {
    "Rate and distortion": rates.view,
    "Pictures": pictures.view,
    "Noise": noise.view,
    "Training": training.view,
    "Claims": claims.view,
}


def main() -> None:
    try:
        place = weights.folder()
        card = weights.read_card(place)
    except WeightsError as error:
        st.error(str(error), icon=":material/error:")
        return
    stored = Results.of(place)
    name = st.segmented_control(
        "View",
        list(VIEWS),
        default=next(iter(VIEWS)),
        required=True,
        key="section",
        bind="query-params",
        label_visibility="collapsed",
    )
    VIEWS[name](stored, card)
    provenance(stored, card)


main()
