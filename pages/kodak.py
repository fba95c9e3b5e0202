"""Kodak: everything that was measured, and what the original work says of itself."""

import streamlit as st

from sdae import WeightsError
from sdae.measuring import claims, kodak, results
from sdae.measuring.results import OURS, Results
from sdae.model import weights
from sdae.ui.kodak import charts, live, tables
from sdae.ui.kodak.charts import Drawn
from sdae.ui.shared import figures
from sdae.ui.shared.figures import table_csv
from sdae.ui.shared.navigation import through_the_app

through_the_app()

SETS = {
    "kodak-thumb": "Scaled to 128×128",
    "kodak-128": "Tiles of 128×128",
    "kodak": "Whole pictures",
}
ABOUT = {
    "kodak-thumb": "The centre square of each of the 24 pictures, scaled to 128×128: the "
                   "resolution of the original work.",
    "kodak-128": "Tiles of 128×128 pixels, cut from the pictures without scaling.",
    "kodak": "The pictures as they are, 768×512 or 512×768.",
}
TIMES = [
    ("encode_seconds", "Compression, ms", ",.1f"),
    ("decode_seconds", "Decompression, ms", ",.1f"),
]


def main() -> None:
    st.title("Measured on Kodak", anchor=False)
    st.markdown(
        "The 24 pictures of the Kodak suite were never trained or tuned on. Every figure here was "
        "read from the results of the shipped weights, which `sdae evaluate`, "
        "`sdae evaluate --noise` and `sdae claims` make."
    )
    try:
        place = weights.folder()
        card = weights.read_card(place)
    except WeightsError as error:
        st.error(str(error), icon=":material/error:")
        return
    found = Results(place, card["sha256"])
    section = st.segmented_control(
        "Dashboard", list(SECTIONS), default=next(iter(SECTIONS)), required=True, key="section",
        bind="query-params", label_visibility="collapsed",
    )
    SECTIONS[section](found, card)
    provenance(found, card)


def rate_section(found: Results, card: dict) -> None:
    name = choose_set(found)
    if name is None:
        return
    rates = tables.bd_rates(found, name)
    with st.container(horizontal=True, gap="medium"):
        for peer, by_metric in rates.items():
            value = by_metric.get("psnr")
            if value is not None:
                st.metric(
                    f"Bytes against {results.label(peer)}", f"{value:+.1f} %".replace("-", "−"),
                    help="BD-rate, PSNR: mean difference in bytes at equal PSNR. Below zero, SDAE "
                         "needs fewer.", width="content",
                )
    curves = tables.curves(found, name)
    measures = [
        label for label, (key, *_) in charts.MEASURES.items()
        if any(key in curve for curve in curves.values())
    ]
    measure = st.segmented_control(
        "Measure", measures, default=measures[0], required=True, key="measure", bind="query-params",
    )
    reference = results.published()
    lines = reference["curves"] if name == "kodak" else {}
    show(
        charts.rates(curves, measure, lines), "rates",
        "Higher and further left is better: more quality in fewer bits. A mark is the mean of all "
        "pictures at one setting of the encoder."
        + (f" Grey lines are published learned codecs, from {reference['source']}."
           if lines else ""),
        height=520,
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("At equal bytes", anchor=False)
        heads, table = tables.equal_bytes(found, name)
        table_with_csv(heads, table, "equal-bytes")
        st.caption(
            "PSNR in dB / SSIM when every picture takes the same bits per pixel. A picture whose "
            "largest file is smaller counts with that file; a dash means that some picture's "
            "smallest file is larger."
        )
    with right:
        st.subheader("BD-rate of SDAE", anchor=False)
        keys = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM"}
        held = [key for key in keys if any(rates[peer].get(key) is not None for peer in rates)]
        table_with_csv(
            ["against", *(f"{keys[key]}, %" for key in held)],
            [(results.label(peer), *(signed(rates[peer].get(key)) for key in held))
             for peer in rates],
            "bd-rates",
        )
        st.caption(
            "Mean difference in bytes at equal quality, over the range that both curves cover, "
            "mean of all pictures. Below zero, SDAE needs fewer bytes."
        )


def picture_section(found: Results, card: dict) -> None:
    name = choose_set(found)
    if name is None:
        return
    rows = tables.common(found, name)
    settings = sorted({results.setting(row) for picture in rows[OURS].values() for row in picture})
    quality = st.select_slider(
        "Quality", settings, value=settings[len(settings) // 3], key="setting",
        format_func=lambda value: f"{value:g}",
    )
    table = results.per_picture(rows[OURS], rows.get("jpeg", {}), quality)
    best, worst = (choose(table, key=lambda row: row["psnr"]) for choose in (max, min))
    with st.container(horizontal=True, gap="medium"):
        mean = sum(row["saved"] for row in table) / len(table)
        st.metric("Mean reduction against PNG", f"{mean:.2f} %", width="content")
        st.metric("Best picture", f"{best['picture']} · {best['psnr']:.2f} dB", width="content")
        st.metric("Worst picture", f"{worst['picture']} · {worst['psnr']:.2f} dB", width="content")
    picked = []
    for column, key in zip(st.columns(2, gap="large"), ("ssim", "psnr")):
        with column:
            st.subheader(f"{key.upper()} against compression rate", anchor=False)
            picked.append(show(
                charts.pictures(table, key), f"pictures-{key}",
                "Further right is smaller, higher is closer to the original. Click a mark to see "
                "its picture below.", height=360, selectable=True,
            ))
    st.subheader("Every picture", anchor=False)
    columns = {
        "picture": ("Picture", None), "png_bytes": ("PNG, bytes", "%,d"),
        "latent_bytes": ("Latent as int8, bytes", "%,d"),
        "plain_bytes": ("by zlib alone, bytes", "%,d"), "bytes": (".sdae file, bytes", "%,d"),
        "saved": ("Reduction, %", "%.2f"), "psnr": ("PSNR, dB", "%.2f"), "ssim": ("SSIM", "%.4f"),
        "accuracy": ("Accuracy", "%.3f"), "encode_seconds": ("Compression, s", "%.3f"),
        "decode_seconds": ("Decompression, s", "%.3f"),
        "jpeg_bytes": ("JPEG at equal PSNR, bytes", "%,d"),
        "jpeg_saved": ("JPEG's reduction, %", "%.2f"),
    }
    columns = {key: value for key, value in columns.items() if key in table[0]}
    shown = {label: [row[key] for row in table] for key, (label, _) in columns.items()}
    event = st.dataframe(
        shown, hide_index=True, key="pictures", on_select="rerun", selection_mode="single-row",
        column_config={label: st.column_config.NumberColumn(format=form)
                       for label, form in columns.values() if form},
        height=420, alt="Sizes, quality and times of every picture.",
    )
    figures.download(
        "Table as CSV", table_csv(list(shown), list(zip(*shown.values()))), f"{name}-pictures.csv",
        "text/csv",
    )
    st.caption(
        "Select a row to see the picture; click a head to sort. Times are processor time. JPEG's "
        "file is the smallest that has the PSNR of ours."
    )
    chosen = [table[index]["picture"] for index in event.selection.rows] or [
        point for points in picked for point in points
    ]
    picture = chosen[0] if chosen else None
    st.subheader("Before and after", anchor=False)
    if picture is None:
        st.info("Select a row or click a mark above to see its picture here.",
                icon=":material/touch_app:")
        return
    st.markdown(f"**{picture}** at quality {quality:g}, worked out anew.")
    live.live(name, picture, rows[OURS][picture], quality)


def method_section(found: Results, card: dict) -> None:
    name = choose_set(found)
    if name is None:
        return
    rows = tables.common(found, name)
    st.subheader("At equal bytes", anchor=False)
    bits = st.select_slider("Bits per pixel", tables.BITS, value=1.0, key="bits")
    at_bits = results.methods(rows, lambda picture: bits * picture[0]["pixels"] / 8)
    method_panel(
        at_bits, [("psnr", "PSNR, dB", ".2f"), ("ssim", "SSIM", ".3f"),
                  ("saved", "Reduction against PNG, %", ".1f"), *TIMES], "equal-bytes-bars",
        "Every picture takes the bits per pixel that are set above. Axes of quality do not begin "
        "at zero; those of time are logarithmic.",
    )
    st.subheader("At equal SSIM", anchor=False)
    target = st.select_slider(
        "SSIM", [0.7, 0.75, 0.8, 0.82, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96], value=0.9, key="target"
    )
    at_ssim = results.methods(rows, lambda picture: results.at_quality(picture, target, "ssim"))
    method_panel(
        at_ssim, [("bytes", "Bytes", ",.0f"), ("saved", "Reduction against PNG, %", ".1f"),
                  ("psnr", "PSNR, dB", ".2f"), *TIMES], "equal-ssim-bars",
        f"Every codec takes as many bytes as SSIM {target:g} needs, picture by picture: fewer "
        "bytes are better.",
    )


def method_panel(table: dict, keys: list, name: str, how: str) -> None:
    missing = [results.label(codec) for codec, row in table.items() if row is None]
    present = {codec: row for codec, row in table.items() if row}
    keys = [key for key in keys if any(key[0] in row for row in present.values())]
    if not present:
        st.info("No codec reaches this on every picture.", icon=":material/info:")
        return
    for column, (key, title, form) in zip(st.columns(len(keys)), keys):
        figure = charts.bars(present, key, form)
        figure.update_layout(height=320, margin={"l": 0, "r": 0, "t": 48, "b": 0}, title=title)
        column.plotly_chart(figure, key=f"{name}-{key}", alt=f"{title}, a bar a codec.",
                            config={"displaylogo": False})
    st.caption(
        how + " Times are processor time of the nearest file, the network included."
        + (f" Out of reach on some picture: {', '.join(missing)}." if missing else "")
    )
    rows = charts.method_rows(present, [key for key, *_ in keys])
    figures.download("Figures as CSV", table_csv(["codec", *(t for _, t, _ in keys)], rows),
                     f"{name}.csv", "text/csv")


def noise_section(found: Results, card: dict) -> None:
    names = [name for name in SETS if found.noise(name)]
    if not names:
        st.info("No noise study of these weights yet; `sdae evaluate --noise` makes it.",
                icon=":material/info:")
        return
    name = st.segmented_control(
        "Pictures", names, default=names[0], required=True, key="noise", bind="query-params",
        format_func=SETS.get,
    )
    study = found.noise(name)
    rows = [row for row in study["rows"] if row["clipped"]]
    count = len({row["picture"] for row in rows})
    st.caption(f"{ABOUT[name]} {count} pictures, Gaussian noise clipped to 8 bits.")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Every noise level", anchor=False)
        show(
            charts.noise_sweep(rows), "noise-sweep",
            "Higher is better; the grey line is the noisy picture itself. The classical denoisers "
            "are told the true level, as our solid line is.", height=400,
        )
    sigmas = tuple(s for s in (0.1, 0.2, 0.3) if any(row["sigma"] == s for row in rows))
    with right:
        st.subheader("The noise itself", anchor=False)
        show(
            charts.noise_distribution(sigmas), "noise-distribution",
            "How far noise moves a sample, over all levels of grey alike. Clipping at black and "
            "white leaves more small differences than a bell curve has.", height=400,
        )
    st.subheader("Every picture", anchor=False)
    sigma = st.segmented_control(
        "Noise level", sigmas, default=sigmas[0], required=True, key="sigma",
        format_func=lambda value: f"σ {value:g}",
    )
    show(
        charts.noise_pictures(rows, sigma), "noise-pictures",
        "The gap between the two marks of a picture is what denoising gains.", height=380,
    )
    heads, chains = tables.chain_table(study["chains"], sigma)
    if chains:
        st.subheader(f"Denoised and compressed, σ {sigma:g}", anchor=False)
        table_with_csv(heads, chains, "noise-chains")
        st.caption(
            "PSNR in dB / SSIM against the clean picture in files of so many bits per pixel. Ours "
            "does both with one network; the others denoise first and compress then. All are told "
            "the level."
        )
    st.subheader("All levels", anchor=False)
    table_with_csv(*tables.noise_table(rows), "noise-table")
    st.caption(
        "PSNR in dB / SSIM, means over pictures, every denoiser told the true level; ours also "
        "with the level estimated from the noisy picture. Ours is at its highest quality and has "
        "gone through a whole .sdae file."
    )


def training_section(found: Results, card: dict) -> None:
    with st.container(horizontal=True, gap="medium"):
        for label, value in (
            ("Parameters", f"{card['parameters'] / 1e6:.2f} M"),
            ("Epochs", f"{card['epochs']}"),
            ("Crops seen", f"{card['images']:,}"),
            ("Time", f"{card['minutes']:,.0f} min"),
            ("Validation loss", f"{card['validation']['validation_loss']:.3f}"),
        ):
            st.metric(label, value, width="content")
    log = tables.training_log(weights.folder())
    if log:
        left, right = st.columns(2, gap="large")
        with left:
            st.subheader("Loss", anchor=False)
            show(
                charts.losses(log), "losses",
                "Rate plus distortion; lower is better. Training sees noise and random qualities, "
                "validation does not, so the two lie on different levels; enlarged photographs are "
                "softer and need fewer bits.", height=380,
            )
        with right:
            st.subheader("Quality on validation photographs", anchor=False)
            show(
                charts.validation(log), "validation",
                "Each curve is one quality setting; it rises while the network still learns.",
                height=380,
            )
    else:
        st.info("These weights come without a record of their training, `loss.csv`.",
                icon=":material/info:")
    curves = {SETS[name]: curve for name in sets(found)
              if "accuracy" in (curve := results.curve(found.rows(name, OURS)))}
    left, right = st.columns(2, gap="large")
    if curves:
        with left:
            st.subheader("Reconstruction accuracy", anchor=False)
            show(
                charts.accuracy(curves), "accuracy",
                "The original's own figure: the share of pixels whose largest channel stays the "
                "largest. It ignores brightness, so PSNR and SSIM say more.", height=360,
            )
    with right:
        st.subheader("Configuration", anchor=False)
        said = {**card["config"], **card["training"]}
        table_with_csv(
            ["setting", "value"],
            [(key.replace("_", " "), f"{value}") for key, value in said.items()], "configuration",
        )
    heads, table, crops = tables.ablations(weights.folder())
    if table:
        st.subheader("One change at a time", anchor=False)
        table_with_csv(heads, table, "ablations")
        st.caption(
            f"`sdae ablations`: every variant trained from the beginning on the same {crops:,} "
            "crops of 64×64 pixels, of photographs at 1, 0.7 and 0.5 of their size, and judged on the "
            "same clean validation crops, the best first. "
            "So short a training shows which choices are clearly wrong, not how good the right "
            "ones become."
        )


def claim_section(found: Results, card: dict) -> None:
    compared = claims.comparison(found, card)
    st.markdown(
        "What the original work states about itself, and what we measure under the same words: "
        f"Kodak scaled to 128×128, at most {claims.BUDGET:,} bytes a picture, the original's mean."
    )
    table_with_csv(
        ["Words", "The original says", "We measure", "Why they differ"],
        [(c.words, c.original, c.measured or "not measured yet", c.why) for c in compared],
        "claims",
    )
    st.subheader("The original's table of four pictures, and ours", anchor=False)
    heads = ["Picture", "File, bytes", "Latent, bytes", "Compressed, bytes", "Compression, s",
             "Decompression, s", "JPEG's reduction, %", "Reduction, %"]

    def line(name, values):
        size, latent, packed, pack, unpack, jpeg, ours = values
        return (name, f"{size:,}", f"{latent:,}", f"{packed:,}", f"{pack:.4f}", f"{unpack:.6f}",
                f"{jpeg:.2f}", f"{ours:.2f}")

    lines = [line(f"original, {number}", values)
             for number, values in enumerate(claims.FOUR_ROWS, 1)]
    lines += [line(name, values) for name, *values in claims.four_rows(found)]
    table_with_csv(heads, lines, "four-pictures")
    st.caption(
        "The original's latent of 2,048 values was counted as text with two decimals, and so is "
        "ours here; our compressed size is that of the whole file. Times are of packing and "
        "unpacking alone, ours in processor time. Our JPEG in this table is at quality 100."
    )


def live_section(found: Results, card: dict) -> None:
    name = choose_set(found, every=True)
    left, right = st.columns(2, gap="large")
    with left:
        names = [file.removesuffix(".png") for file in kodak.KODAK]
        if name == "kodak-128":
            names = [f"{base}-{tile:02}" for base in names for tile in range(24)]
        picture = st.selectbox("Picture", names, key="picture", bind="query-params")
    with right:
        quality = st.slider("Quality", 1, 100, 48, key="quality", bind="query-params")
    live.live(name, picture, found.rows(name, OURS).get(picture, []), quality)


def sets(found: Results) -> list[str]:
    """The sets that our codec was measured on."""
    return [name for name in SETS if OURS in tables.codecs(found, name)]


def choose_set(found: Results, every: bool = False) -> str | None:
    """Draw the choice of sets; None, with a sentence, where nothing was measured."""
    names = list(SETS) if every else sets(found)
    if not names:
        st.info("Nothing was measured with these weights yet; `sdae evaluate` does it.",
                icon=":material/info:")
        return None
    name = st.segmented_control(
        "Pictures", names, default=names[0], required=True, key="set", bind="query-params",
        format_func=SETS.get,
    )
    count = "" if every else f" {len(next(iter(tables.common(found, name).values())))} pictures."
    st.caption(ABOUT[name] + count)
    return name


def show(drawn: Drawn, name: str, how: str, height: int, selectable: bool = False) -> list[str]:
    """A figure, how to read it, and its CSV file; the names of the marks that were clicked."""
    picked = []
    drawn.figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 24, "b": 0},
        legend={"orientation": "h", "y": 1.06, "yanchor": "bottom"},
    )
    if selectable:
        event = st.plotly_chart(
            drawn.figure, key=f"{name}-chart", alt=drawn.alt, on_select="rerun",
            selection_mode="points", config={"displaylogo": False},
        )
        picked = [point["text"] for point in event.selection.points if "text" in point]
    else:
        st.plotly_chart(drawn.figure, key=f"{name}-chart", alt=drawn.alt,
                        config={"displaylogo": False})
    st.caption(how)
    figures.download("Figures as CSV", table_csv(drawn.heads, drawn.rows), f"{name}.csv",
                     "text/csv")
    return picked


def table_with_csv(heads: list[str], rows: list[tuple], name: str) -> None:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines += ["| " + " | ".join("–" if cell is None else str(cell) for cell in row) + " |"
              for row in rows]
    st.markdown("\n".join(lines))
    figures.download("Table as CSV", table_csv(heads, rows), f"{name}.csv", "text/csv")


def signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+.1f}".replace("-", "−")


def provenance(found: Results, card: dict) -> None:
    """Which weights, libraries, dates and protocol the figures come from."""
    with st.expander("Where these figures come from"):
        st.markdown(f"Weights with SHA-256 `{card['sha256']}`. {results.PROTOCOL}")
        st.markdown(
            "Other codecs at effort slow: JPEG optimised, the best of 4:2:0 and 4:4:4, sequential "
            "and progressive; JPEG 2000 irreversible, as a bare codestream; WebP by method 6; AVIF "
            "at speed 0 and the better of 4:2:0 and 4:4:4 up to 256×256 pixels. Above, AVIF is at "
            "speed 1 and 4:4:4 alone: on validation photographs 4:2:0 never had more PSNR at equal "
            "bytes, but it had equal SSIM in up to 8 % fewer."
        )
        lines = []
        for name in SETS:
            for codec in tables.codecs(found, name):
                note = found.note(name, codec)
                options = note["options"]
                versions = note["versions"]
                library = {"jpeg": "libjpeg-turbo", "jpeg2000": "OpenJPEG", "webp": "libwebp",
                           "avif": "libaom"}.get(codec)
                lines.append((
                    SETS[name], results.label(codec), len(found.rows(name, codec)),
                    options.get("effort"), options.get("stride"), note["date"],
                    f"{library} {versions[library]}" if library else "–",
                ))
        table_with_csv(
            ["pictures", "codec", "number", "effort", "every", "date", "library"], lines,
            "provenance",
        )


SECTIONS = {
    "Rate and distortion": rate_section,
    "Pictures": picture_section,
    "Methods": method_section,
    "Noise": noise_section,
    "Training": training_section,
    "Claims": claim_section,
    "Live": live_section,
}

main()
