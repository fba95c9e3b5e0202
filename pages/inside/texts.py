"""What the lesson says: for each step its views, a lead, the formula with its sources, exercises."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step of the lesson. `formula` is Markdown with TeX, the other texts are Markdown.

    Attributes:
        name: stands in the bar and in the link.
        title: above the screen.
        views: names of its tabs; a single view has none.
        lead: what it is about, and what to look at.
        formula, sources: the formula, and a line for each source.
        exercises: three pairs of a question for the class and its answer.
    """

    name: str
    title: str
    views: tuple[str, ...]
    lead: str
    formula: str
    sources: tuple[str, ...]
    exercises: tuple[tuple[str, str], ...]


_DEFLATE = "Deutsch 1996, [RFC 1951](https://www.rfc-editor.org/rfc/rfc1951): Deflate"
_BALLE = (
    "Ballé et al. 2017, [arXiv 1611.01704](https://arxiv.org/abs/1611.01704): "
    "end-to-end optimised image compression"
)
_GAINS = (
    "Cui et al. 2021, [arXiv 2003.02012](https://arxiv.org/abs/2003.02012): gains for "
    "continuous rates"
)

STEPS = (
    Step(
        "Pipeline",
        "One square, from pixels to bits and back",
        (),
        "The **encoder**, a neural network, turns each square of 8 × 8 pixels into integers. "
        "Together they are the **latent**. **Deflate**, the method inside ZIP files, packs them "
        "without loss. The **decoder**, a second network, paints the square again. All seven steps "
        "follow one square; click another one to follow that.",
        r"""
$$
\hat y = \operatorname{round}\bigl(g_q \odot f(x)\bigr) \qquad
\hat x = h\bigl(g'_q \odot \hat y\bigr)
$$

$x$ is the picture and $\hat x$ the restored one, $f$ the encoder, $h$ the decoder, $\hat y$ the
integers in the file. The gain $g_q$ stretches each channel before it is rounded: a higher quality
$q$ stretches more, so that rounding loses less. $g'_q$ undoes it.
""",
        (_BALLE, _GAINS, _DEFLATE),
        (
            (
                "A photograph has 640 × 480 pixels. How many integers does its latent hold, and "
                "how many samples does the photograph have?",
                "Each side is divided by 8, so there are 80 × 60 = 4,800 squares with as many "
                "integers as the picture of the integers above says. The photograph has "
                "640 × 480 × 3 = 921,600 samples.",
            ),
            (
                "Which of the stations lose something for good, and which do not?",
                "The encoder does: it rounds, and cannot say everything. Packing loses nothing: "
                "the same integers come out again. The decoder can only guess what is gone.",
            ),
            (
                "Set the quality to 10 and to 90. What changes in the square, and what does not?",
                "The number of integers stays. More of them are not zero, they are larger, they "
                "take more bits, and the error of the square falls.",
            ),
        ),
    ),
    Step(
        "Units",
        "What the networks are made of",
        ("A convolution", "The two networks"),
        "A **convolution** moves a small window over the picture. At each place it multiplies the "
        "pixels by **weights** and adds up the products: one number of a new picture. Nobody "
        "chose the weights; training moved each of them until pictures came back well. Many "
        "convolutions, with a bend between them, make a network.",
        r"""
$$
y_{ijk} = b_k + \sum_{u,v,c} w_{uvck}\, x_{i+u,\,j+v,\,c} \qquad
\operatorname{PReLU}(y) = \max(0, y) + a_k \min(0, y)
$$

A convolution has weights $w$ for a window of 3 × 3 and each pair of an input channel $c$ and an
output channel $k$, and a bias $b$. PReLU bends: below zero it multiplies by a slope $a_k$, which is
learned, too. A residual block adds its result to what came in. Sub-pixel up-sampling computes four
values for each place and lays them out as a square of 2 × 2.
""",
        (
            "LeCun et al. 1989, [Backpropagation applied to handwritten zip code recognition]"
            "(https://doi.org/10.1162/neco.1989.1.4.541): convolutions with learned weights",
            "He et al. 2015, [arXiv 1502.01852](https://arxiv.org/abs/1502.01852): PReLU",
            "He et al. 2016, [arXiv 1603.05027](https://arxiv.org/abs/1603.05027): residual blocks",
            "Shi et al. 2016, [arXiv 1609.05158](https://arxiv.org/abs/1609.05158): "
            "sub-pixel convolution",
        ),
        (
            (
                "Try the filters of the first convolution. Which of them answer to edges, and "
                "which to colours?",
                "Weights that are positive on one side and negative on the other answer to an "
                "edge and give zero on a plain area. Weights of one sign in one colour, and of "
                "the other in another colour, answer to colours.",
            ),
            (
                "Choose down_1. How do the parameters of its second convolution come about?",
                "3 × 3 weights for each pair of an input and an output channel, and one bias for "
                "each output channel. From 48 to 96 channels: 9 · 48 · 96 + 96 = 41,568.",
            ),
            (
                "What would become of the network if all PReLU slopes were 1? And if they were 0?",
                "With slope 1 there is no bend, and a chain of convolutions is one convolution: "
                "depth would be wasted. With slope 0 everything below zero is lost.",
            ),
        ),
    ),
    Step(
        "Latent",
        "What the integers mean",
        ("Touch a square", "Channels"),
        "The latent is a stack of small pictures, the **channels**: each has one integer for every "
        "square. A few hold most of the energy, brightness and colour; the many others hold "
        "detail. Rounding to integers is where the codec loses something. A higher quality "
        "stretches the numbers before, so that rounding loses less.",
        r"""
$$
E_c = \frac{1}{hw} \sum_{i,j} \bigl(g'_c\, \hat y_{ijc}\bigr)^2 \qquad
\operatorname{E}\,(\hat y - y)^2 \approx \frac{\Delta^2}{12}
$$

$E_c$ is the energy by which channels are sorted. $\Delta$ is the quantisation step; the rule
$\Delta^2/12$ holds while it is small beside the values $y$.
""",
        (
            "Karhunen 1947, Loève 1948: the transform that collects most energy in the fewest "
            "channels; the linear path starts there",
            "Bennett 1948, [Spectra of quantized signals]"
            "(https://doi.org/10.1002/j.1538-7305.1948.tb01340.x): the error Δ²/12",
            _GAINS,
        ),
        (
            (
                "Keep only the first channel, then three, then more. When do you recognise the "
                "picture, and what comes last?",
                "With the first few channels there are brightness and colours of each square, and "
                "the subject can be recognised. Edges follow, and fine texture comes last: it is "
                "spread over many weak channels.",
            ),
            (
                "Find a square that takes many bits and one that takes few. What do they show?",
                "Edges and texture take many bits, sky and blurred background few. Where nothing "
                "happens nearly all integers are zero, and zeros are cheap.",
            ),
            (
                "A few integers are not the nearest to their number before rounding. Why?",
                "The encoder weighs bits against error: where a smaller integer saves more bits "
                "than its error is worth, it takes that one.",
            ),
        ),
    ),
    Step(
        "Bytes",
        "From integers to bits",
        ("The ledger", "Deflate"),
        "**Entropy** is the number of bits that an ideal code needs: few where values are easy to "
        "guess. SDAE predicts each integer from those already packed and sorts them by how sure "
        "the prediction is. Deflate does the rest: **LZ77** points back to what repeats, and a "
        "**Huffman code** gives what is frequent a short code.",
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
            (
                "Count the integers of the line and build its Huffman code by hand. Does your tree "
                "agree with the one that is drawn?",
                "Join the two rarest again and again until one is left. Where counts are equal "
                "there is a choice, so your tree may look different; the sum of all bits is the "
                "same.",
            ),
            (
                "In the ledger, compare the entropy with the packed integers. How can a file be "
                "smaller than the entropy?",
                "That entropy belongs to a coder with one table a channel, which looks at nothing "
                "else. SDAE looks at the neighbours that are already known: where they are large, "
                "the next integer is likely to be. With a context the entropy is lower.",
            ),
            (
                "What does LZ77 find in the line, and why is it of so little use for a latent?",
                "It finds runs, most of them of zeros. Photographs do not repeat integer by "
                "integer, and what is predictable about zeros is already used by the contexts. "
                "What is left for Deflate is its Huffman code.",
            ),
        ),
    ),
    Step(
        "Noise",
        "Noise goes first",
        (),
        "Noise has no pattern, so it cannot be predicted: it takes many bits and hides the "
        "picture. A **denoiser**, a network that learned to give back the clean original of noisy "
        "pictures, restores the picture first. Then the codec encodes it like any other.",
        r"""
$$
\min_d \; \operatorname{E}_{x,\,n,\,\sigma} \bigl\lVert x - d(x + n,\, \sigma) \bigr\rVert^2,
\quad n \sim \mathcal N(0, \sigma^2) \qquad
\hat y = \operatorname{round}\bigl(g_q \odot f(d(x + n,\, \sigma))\bigr)
$$

The denoiser $d$ is told the level $\sigma$ of the noise $n$ and aims at the clean picture $x$. What
it gives goes through the encoder $f$, which knows nothing of noise. Noise of level $\sigma$ alone
means a PSNR of $-20 \log_{10} \sigma$ dB, a little more where black and white cut it off.
""",
        (
            "Vincent et al. 2010, [JMLR 11](https://jmlr.org/papers/v11/vincent10a.html): "
            "stacked denoising autoencoders",
            "Zhang et al. 2018, [arXiv 1710.04026](https://arxiv.org/abs/1710.04026): FFDNet, "
            "the noise level as an input plane",
        ),
        (
            (
                "Which PSNR does noise of σ = 0.1 have? Compute it, then check it on the page.",
                "−20 · log₁₀ 0.1 = 20 dB. The page shows a little more: noise that goes below "
                "black or above white is cut off.",
            ),
            (
                "Why is the file larger when the noise is still there?",
                "Nothing about noise can be predicted, so whatever of it gets into the integers "
                "has to be packed bit by bit.",
            ),
            (
                "Look at your square in all pictures. What went with the noise that was none?",
                "Texture that is weaker than the noise. From one picture nobody can tell the two "
                "apart, so the denoiser paints what is likely.",
            ),
        ),
    ),
    Step(
        "Training",
        "How the weights came about",
        ("Train one yourself", "The real one", "The price λ"),
        "Training starts at random weights. It measures the error, finds in which direction each "
        "weight lowers it, the **gradient**, takes a small step, and begins again. Yours learns "
        "one photograph in seconds. The real one saw many, and weighs bits as well: **λ** is the "
        "price of an error in bits.",
        r"""
$$
L = w(\lambda) \bigl( R + \lambda D \bigr) \qquad
D = \text{MSE} + \beta\,(1 - \text{SSIM}) \qquad
\theta \leftarrow \theta - \eta\, \frac{\partial L}{\partial \theta}
$$

$R$ is in bits a pixel, the MSE on the scale 0–255; $w(\lambda)$ keeps the losses of all qualities
of one size. A weight $\theta$ moves against its gradient by a small rate $\eta$. Where
$R + \lambda D$ is smallest, its line touches the curve: $\mathrm dR / \mathrm dD = -\lambda$.
""",
        (
            "Rumelhart et al. 1986, [Learning representations by back-propagating errors]"
            "(https://doi.org/10.1038/323533a0)",
            "Bourlard and Kamp 1988, [Auto-association by multilayer perceptrons and singular "
            "value decomposition](https://doi.org/10.1007/BF00332918): what yours arrives at",
            "Shoham and Gersho 1988, [Efficient bit allocation for an arbitrary set of quantizers]"
            "(https://doi.org/10.1109/29.90373): the line that touches the curve",
            _BALLE,
        ),
        (
            (
                "However long yours learns, it stops at the dashed line. Why, and what gets "
                "further?",
                "Two matrices can only do what one linear map can, and the best one is known: the "
                "principal components. The real network starts there; bends and a look at the "
                "neighbours take it further.",
            ),
            (
                "What does λ = 0.01 say in words?",
                "Lowering the mean squared error by 1 (on the scale 0–255) is worth 0.01 bits a "
                "pixel, no more.",
            ),
            (
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
        "Where it fails, and how close it is",
        ("Hard pictures", "Which is which?"),
        "The network knows photographs. What looks different costs it more bytes and more errors "
        "than codecs made for that. On photographs, judge for yourself: two files of equal bytes, "
        "no names.",
        r"""
$$
\bar L = H(p) + D_{\text{KL}}(p \,\Vert\, q)
$$

A coder that expects $q$ and meets $p$ pays the divergence $D_{\text{KL}}$ on top of the entropy:
it expects photographs and meets letters.
""",
        (
            "Kullback and Leibler 1951, [On information and sufficiency]"
            "(https://doi.org/10.1214/aoms/1177729694)",
            "[Portable Network Graphics, third edition](https://www.w3.org/TR/png-3/): what to "
            "use for text and line art",
        ),
        (
            (
                "PNG keeps every pixel of the text. How can it still be small, where SDAE is not?",
                "Few colours, and shapes that repeat exactly: LZ77 finds them. The network has to "
                "describe hard edges with patterns made for soft ones, and an edge needs many of "
                "them at once.",
            ),
            (
                "Judge ten pairs. Does the measure that agrees with you more often surprise you?",
                "PSNR counts every error alike, wherever it is. SSIM compares structure in small "
                "windows. People look at faces, letters and edges, so neither agrees always.",
            ),
            (
                "Look for a photograph of your own that fails. What do the bad places have in "
                "common?",
                "Look at fine print, fences, foliage and strong colour edges. Whatever is rare in "
                "the photographs of the training, sharp and without repetition, costs most.",
            ),
        ),
    ),
)
"""The seven steps, in order."""
