"""What the Inside page says: for each step a lead, the formula with its sources, and exercises."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """A question for the class, and its answer (Markdown)."""

    question: str
    answer: str


@dataclass(frozen=True)
class Step:
    """One screen of the lesson.

    `name` stands in the bar and in the link, `title` above the screen; `lead` says what to look
    at. `formula` is Markdown with TeX; `sources` are Markdown, one for each line.
    """

    name: str
    title: str
    lead: str
    formula: str
    sources: tuple[str, ...]
    exercises: tuple[Exercise, Exercise, Exercise]


_DEFLATE = "Deutsch 1996, [RFC 1951](https://www.rfc-editor.org/rfc/rfc1951): Deflate"
_GAINS = (
    "Cui et al. 2021, [arXiv 2003.02012](https://arxiv.org/abs/2003.02012): gains for "
    "continuous rates"
)
_DENOISING = (
    "Vincent et al. 2010, [JMLR 11](https://jmlr.org/papers/v11/vincent10a.html): "
    "stacked denoising autoencoders"
)

STEPS = (
    Step(
        "Pipeline",
        "From a photograph to a file and back",
        "The encoder turns each square of 8 × 8 pixels into small integers, Deflate packs them "
        "without loss, and the decoder turns them back into pixels. Solid boxes hold data, dashed "
        "boxes do the work, and every figure belongs to this picture.",
        r"""
$$
\hat y = \operatorname{round}\bigl(g_q \odot f(x)\bigr) \qquad
\hat x = h\bigl(g'_q \odot \hat y\bigr)
$$

$x$ is the picture and $\hat x$ the restored one, $f$ the encoder, $h$ the decoder, $\hat y$ the
integers in the file. The gain $g_q$ stretches each channel before it is rounded: a higher quality
$q$ stretches more, so that rounding loses less. $g'_q$ undoes it.
""",
        (
            "Ballé et al. 2017, [arXiv 1611.01704](https://arxiv.org/abs/1611.01704): "
            "end-to-end optimised image compression",
            _GAINS,
            _DENOISING,
            _DEFLATE,
        ),
        (
            Exercise(
                "A photograph has 640 × 480 pixels. How many integers does its latent hold, and "
                "how many samples does the photograph have?",
                "Each side is divided by 8, so there are 80 × 60 = 4,800 places with one integer a "
                "channel. Multiply by the number of channels, the last figure in the box “Latent”. "
                "The photograph has 640 × 480 × 3 = 921,600 samples.",
            ),
            Exercise(
                "Which of the stations lose something for good, and which do not? Find the "
                "evidence in the boxes.",
                "The encoder does: it keeps fewer numbers than the picture has samples, and rounds "
                "them. Deflate and Inflate lose nothing: what comes out of Inflate is, integer by "
                "integer, what went into Deflate. The decoder can only guess what is gone.",
            ),
            Exercise(
                "Set the quality to 10 and to 90. Which boxes change, which do not, and why?",
                "The shape of the latent depends on the size of the picture alone, so it stays. "
                "What changes is the magnitude of the integers, and with it what Deflate needs for "
                "them: the bytes of the file.",
            ),
        ),
    ),
    Step(
        "Units",
        "What the two networks are made of",
        "A down-sampling unit halves both sides, an up-sampling unit doubles them, a residual "
        "block adds a correction to what it is given, a depthwise block does so with fewer "
        "multiplications. All of it is read from the Keras model that "
        "is loaded here.",
        r"""
$$
\operatorname{PReLU}(x) = \max(0, x) + a_c \min(0, x) \qquad
y_{2i+p,\; 2j+r,\; c} = x_{i,\; j,\; (2p+r)\,C + c}, \quad p, r \in \{0, 1\}
$$

PReLU learns one slope $a_c$ a channel: 0 would be ReLU, 1 would be no bend at all. Sub-pixel
up-sampling computes four values for each place, in $4C$ channels, and lays them out as a square of
2 × 2; it only moves numbers.
""",
        (
            "He et al. 2015, [arXiv 1502.01852](https://arxiv.org/abs/1502.01852): PReLU",
            "Shi et al. 2016, [arXiv 1609.05158](https://arxiv.org/abs/1609.05158): "
            "sub-pixel convolution",
            "Odena et al. 2016, [Distill](https://distill.pub/2016/deconv-checkerboard/): "
            "checkerboards of transposed convolutions",
            "He et al. 2016, [arXiv 1603.05027](https://arxiv.org/abs/1603.05027): "
            "residual blocks with the activation first",
        ),
        (
            Exercise(
                "Choose a down-sampling unit. How does the number of parameters of its second "
                "convolution come about?",
                "3 × 3 weights for each pair of an input and an output channel, and one bias for "
                "each output channel. From 48 to 96 channels: 9 · 48 · 96 + 96 = 41,568.",
            ),
            Exercise(
                "What would become of the network if all PReLU slopes were 1? And if they were 0?",
                "With slope 1 the unit is linear, and a chain of linear units is one linear map: "
                "depth would be wasted. With slope 0 it is ReLU: everything below zero is lost "
                "there, and no gradient comes back through it.",
            ),
            Exercise(
                "Look at the grid of the transposed convolution. Why is it uneven, although its "
                "nine weights are equal, and why can sub-pixel up-sampling avoid that?",
                "Windows of 3 × 3 that move by 2 overlap: inside the grid a pixel gets 1, 2 or 4 "
                "contributions, in a pattern that repeats every two pixels. Sub-pixel up-sampling "
                "writes each pixel exactly once.",
            ),
        ),
    ),
    Step(
        "Latent",
        "What the integers mean",
        "The latent is a stack of small pictures, the channels. A few hold most of the energy: "
        "brightness and colour. The many others hold detail. Take channels away, or round more "
        "coarsely, and see what the decoder makes of the rest.",
        r"""
$$
E_c = \frac{1}{hw} \sum_{i,j} \bigl(g'_c\, \hat y_{ijc}\bigr)^2 \qquad
\hat y_\Delta = \Delta \operatorname{round}\Bigl(\frac{y}{\Delta}\Bigr), \quad
\operatorname{E}\,(\hat y_\Delta - y)^2 \approx \frac{\Delta^2}{12}
$$

$E_c$ is the energy by which channels are sorted. A step $\Delta$ of 2 keeps every second integer
only. The rule $\Delta^2/12$ holds while $\Delta$ is small beside the values.
""",
        (
            "Karhunen 1947, Loève 1948: the transform that collects most energy in the fewest "
            "channels; the linear path starts there",
            "Bennett 1948, [Spectra of quantized signals]"
            "(https://doi.org/10.1002/j.1538-7305.1948.tb01340.x): the error Δ²/12",
            _GAINS,
        ),
        (
            Exercise(
                "Keep only the first channel, then three, then more. When do you recognise the "
                "picture, and what comes last?",
                "With the first few channels there are brightness and colours of each square of "
                "8 × 8 pixels, and the subject can be recognised. Edges follow, and fine texture "
                "comes last: it is spread over many weak channels.",
            ),
            Exercise(
                "Switch off the strongest channel, then a weak one. Where in the picture is the "
                "difference each time?",
                "The strongest channel holds slow changes of brightness: without it whole areas "
                "are wrong. A weak one holds one pattern of detail: without it only places change "
                "that have this pattern, most of all edges and texture.",
            ),
            Exercise(
                "Doubling a fine step should cost 6 dB. Why? And why does the picture lose less?",
                "The squared error grows with Δ², so by a factor of 4, and 10 · log₁₀ 4 ≈ 6 dB. "
                "The picture loses less because rounding is not the only error: the encoder has "
                "left things out that no finer step brings back, and values that are zero at both "
                "steps lose nothing more.",
            ),
        ),
    ),
    Step(
        "Bytes",
        "From integers to bytes",
        "Most integers are zero or nearly so. The more predictable they are, the fewer bits they "
        "need. SDAE first predicts how large each one will be from those already packed, sorts "
        "them by that, and leaves the rest to Deflate.",
        r"""
$$
H = -\sum_v p_v \log_2 p_v \qquad H \le \bar L_{\text{Huffman}} < H + 1 \qquad
H(Y \mid \text{context}) \le H(Y)
$$

$H$ is the entropy in bits an integer, when $p_v$ is how often value $v$ occurs. No code for single
integers of these frequencies has a shorter mean length $\bar L$. Knowing the context can only lower
the entropy: that is how a file can be smaller than $H$ says.
""",
        (
            "Shannon 1948, [A mathematical theory of communication]"
            "(https://doi.org/10.1002/j.1538-7305.1948.tb01338.x): entropy",
            "Huffman 1952, [A method for the construction of minimum-redundancy codes]"
            "(https://doi.org/10.1109/JRPROC.1952.273898)",
            "Ziv and Lempel 1977, [A universal algorithm for sequential data compression]"
            "(https://doi.org/10.1109/TIT.1977.1055714): LZ77",
            _DEFLATE,
        ),
        (
            Exercise(
                "Count the integers of the line and build its Huffman code by hand. Does your tree "
                "agree with the one that is drawn?",
                "Join the two rarest again and again until one is left. Where counts are equal "
                "there is a choice, so your tree may look different; the sum of all bits is the "
                "same.",
            ),
            Exercise(
                "In the ledger, compare the entropy with the packed integers. How can a file be "
                "smaller than the entropy?",
                "That entropy belongs to a coder with one table a channel, which looks at nothing "
                "else. SDAE looks at the neighbours that are already known: where they are large, "
                "the next integer is likely to be. With a context the entropy is lower.",
            ),
            Exercise(
                "What does LZ77 find in the line, and why is it of so little use for a latent?",
                "It finds runs, most of them of zeros. Photographs do not repeat integer by "
                "integer, and what is predictable about zeros is already used by the contexts. "
                "What is left for Deflate is its Huffman code.",
            ),
        ),
    ),
    Step(
        "Noise",
        "Noise goes in, a clean picture comes out",
        "The network was trained with noisy pictures whose clean originals it had to give back, "
        "and with the noise level as a further input. The same picture goes through it three "
        "times: clean, noisy without a word about it, and noisy with the level told.",
        r"""
$$
\min_{f,\,h} \; \operatorname{E}_{x,\,n,\,\sigma} \Bigl[ R(\hat y) + \lambda\,
\bigl\lVert x - h(\hat y) \bigr\rVert^2 \Bigr], \quad
\hat y = \operatorname{round}\bigl(g \odot f(x + n,\, \sigma)\bigr), \quad
n \sim \mathcal N(0, \sigma^2)
$$

The target is the clean $x$, so the cheapest way for the network is to leave the noise $n$ out of
the integers. Noise of level $\sigma$ alone means a PSNR of $-20 \log_{10} \sigma$ dB, a little more
where clipping at black and white takes some of it away.
""",
        (
            _DENOISING,
            "Zhang et al. 2018, [arXiv 1710.04026](https://arxiv.org/abs/1710.04026): FFDNet, "
            "the noise level as an input plane",
        ),
        (
            Exercise(
                "Which PSNR does noise of σ = 0.1 have? Compute it, then check it on the page.",
                "−20 · log₁₀ 0.1 = 20 dB. The page shows a little more: noise that goes below "
                "black or above white is cut off.",
            ),
            Exercise(
                "Why is the file larger when the network is not told of the noise?",
                "Noise has no pattern, so nothing about it can be predicted, and whatever of it "
                "gets into the integers has to be packed bit by bit. Told of it, the encoder "
                "leaves a part of it out; what is left out needs no bytes.",
            ),
            Exercise(
                "Where does the dotted curve of the clean integers cross the solid one, and what "
                "does that mean for the channels on its right?",
                "On the right, noise changes the integers by more than the picture makes them "
                "large: untold, they say more about the noise than about the picture. On the left "
                "the picture prevails. More noise moves the crossing to the left: try it.",
            ),
        ),
    ),
    Step(
        "Training",
        "How the weights came about",
        "Training weighs bits against errors: λ is the price of an error in bits. Small λ gives "
        "small files, large λ close pictures, and one network learns them all by drawing λ anew "
        "for every crop.",
        r"""
$$
L = w(\lambda) \bigl( R + \lambda D \bigr) \qquad
D = \text{MSE} + \beta\,(1 - \text{SSIM}) \qquad
\lambda_q = \lambda_{\min} \Bigl(\frac{\lambda_{\max}}{\lambda_{\min}}\Bigr)^{(q-1)/99}
$$

$R$ is in bits a pixel, the MSE on the scale 0–255; $\beta$, $\lambda_{\min}$ and
$\lambda_{\max}$ stand on the card of the weights, and $w(\lambda)$ keeps the losses of all
qualities of one size. Where $R + \lambda D$ is smallest, its line touches the curve:
$\mathrm dR / \mathrm dD = -\lambda$.
""",
        (
            "Shoham and Gersho 1988, [Efficient bit allocation for an arbitrary set of quantizers]"
            "(https://doi.org/10.1109/29.90373): the line that touches the curve",
            "Ballé et al. 2017, [arXiv 1611.01704](https://arxiv.org/abs/1611.01704): the loss",
            "Wang et al. 2004, [Image quality assessment](https://doi.org/10.1109/TIP.2003.819861)"
            ": SSIM",
            _GAINS,
        ),
        (
            Exercise(
                "What does λ = 0.01 say in words?",
                "Lowering the mean squared error by 1 (on the scale 0–255) is worth 0.01 bits a "
                "pixel, no more.",
            ),
            Exercise(
                "Why does the training loss jump about, while the validation loss falls smoothly?",
                "Training draws other crops, another λ and another noise level in every step. "
                "Validation always looks at the same crops, at fixed qualities and noise levels. "
                "So the two curves are not on one scale either.",
            ),
            Exercise(
                "Move the quality and watch the line on the rate–distortion plane. What happens to "
                "its slope, and what does it mean that the curve lies above it on both sides?",
                "A higher quality has a larger λ and a steeper fall: errors cost more. Every point "
                "on the line has the same price R + λD; points above it cost more. So the point of "
                "contact is the cheapest at this λ.",
            ),
        ),
    ),
    Step(
        "Limits",
        "Where it fails",
        "The network knows photographs. What looks different costs it more bytes and more errors "
        "than codecs made for that, and a tiny picture has to carry a header and code tables that "
        "a large one hardly notices.",
        r"""
$$
\bar L = H(p) + D_{\text{KL}}(p \,\Vert\, q) \qquad
\frac{\text{bytes}}{\text{pixel}} \approx b + \frac{F}{w \cdot h}
$$

A coder that expects $q$ and meets $p$ pays the divergence $D_{\text{KL}}$ on top of the entropy:
it expects photographs and meets letters. A fixed cost of $F$ bytes, header and tables, is shared by
few pixels in a tiny picture.
""",
        (
            "Kullback and Leibler 1951, [On information and sufficiency]"
            "(https://doi.org/10.1214/aoms/1177729694)",
            "[Portable Network Graphics, third edition](https://www.w3.org/TR/png-3/): what to "
            "use for text and line art",
        ),
        (
            Exercise(
                "PNG keeps every pixel of the text. How can it still be small, where SDAE is not?",
                "Few colours, and shapes that repeat exactly: LZ77 finds them. The network has to "
                "describe hard edges with patterns made for soft ones, and an edge needs many of "
                "them at once.",
            ),
            Exercise(
                "At which side does the header take more than a tenth of the file? Read it from "
                "the table, and say how to save it.",
                "The row in which header ÷ file falls below 0.1 depends on picture and quality. "
                "Many tiny pictures can go into one large one, so that one header serves all of "
                "them.",
            ),
            Exercise(
                "Look for a photograph of your own that fails. What do the bad places have in "
                "common?",
                "Look at fine print, fences, foliage and strong colour edges. Whatever is rare in "
                "the photographs of the training, sharp and without repetition, costs most.",
            ),
        ),
    ),
)
"""The seven steps, in order."""
