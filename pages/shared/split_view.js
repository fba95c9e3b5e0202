// Two pictures under one movable split, and above them a quality slider with its bytes. Everything
// that is only looking (split, zoom, panning, error map) happens here, so that it outlives every
// new picture that the server sends; so do the estimates that follow the slider's thumb.

const TALLEST = 640; // CSS pixels
const AROUND = 290; // of a screen, for what stands above the picture and below it
const DEEPEST = 8; // screen pixels a pixel
const REST = 120; // milliseconds without a move, after which the slider rests
const ERROR_TOP = 32; // differences from here on have the last colour
const GLANCE = 33; // dB below which errors are seen at a glance, and below ZOOMED when zoomed in
const ZOOMED = 39;
const STOPS = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

const ramp = Array.from({ length: ERROR_TOP + 1 }, (_, level) => {
  const place = (level / ERROR_TOP) * (STOPS.length - 1);
  const low = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[low].map((from, i) => from + (STOPS[low + 1][i] - from) * (place - low));
});

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// The message is a length (4 bytes, little endian), that much JSON, then the PNG files.
function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4 + view.getUint32(0, true);
  const message = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at)));
  message.png = {};
  for (const [id, length] of message.files) {
    message.png[id] = bytes.slice(at, at + length);
    at += length;
  }
  return message;
}

const spread = ([one, two]) => Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);

async function load(side, png) {
  const picture = Object.assign(new Image(), { className: side, draggable: false });
  if (png) {
    picture.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    await picture.decode();
  }
  return picture;
}

class Compare {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.box = find(".compare");
    this.scroll = find(".scroll");
    this.stage = find(".stage");
    this.handle = find(".handle");
    this.errors = { left: find(".error-left"), right: find(".error-right") };
    this.pictures = { left: find(".left"), right: find(".right"), original: new Image() };
    this.chips = { left: find(".chip-left"), right: find(".chip-right") };
    this.legend = find(".legend");
    this.scaleText = find("[data-scale]");
    this.errorButton = find("[data-error]");
    this.point = find(".point");
    this.bar = find(".bar");
    this.slider = find("input");
    this.numbers = Object.fromEntries(["quality", "bytes", "share", "original", "psnr", "words"].map(
      (name) => [name, find(`[data-${name}]`)]));
    this.guessButton = find("[data-guess]");
    this.zoomButtons = [...root.querySelectorAll("[data-zoom]")];
    this.split = 0.5;
    this.zoom = "fit";
    this.errorMap = false;
    this.ids = {};
    this.turn = 0;

    const colours = STOPS.map((stop) => `rgb(${stop})`).join(", ");
    find(".ramp").style.background = `linear-gradient(90deg, ${colours})`;
    find("[data-top]").textContent = `${ERROR_TOP} or more of 255`;

    for (const button of this.zoomButtons) {
      button.addEventListener("click", () => this.setZoom(button.dataset.zoom));
    }
    this.errorButton.addEventListener("click", () => {
      this.errorMap = !this.errorMap;
      this.drawErrorMap();
    });
    this.guessButton.addEventListener("click", () => this.tell("guess", this.guess ? "names" : "again"));
    for (const half of root.querySelectorAll("[data-half]")) {
      half.addEventListener("click", () => this.tell("guess", half.dataset.half));
    }
    this.slider.addEventListener("input", () => this.onSlider());
    for (const side of ["left", "right"]) {
      const select = this.chips[side].querySelector("select");
      select.addEventListener("change", () => this.tell(side, select.value));
    }
    this.handle.addEventListener("keydown", (event) => this.onKey(event));
    this.handle.addEventListener("pointerdown", (event) => this.startSplit(event, this.handle));
    this.handle.addEventListener("dblclick", () => this.setSplit(0.5));
    this.scroll.addEventListener("pointerdown", (event) => this.onPicture(event));
    this.scroll.addEventListener("scroll", () => this.placeSplit());
    this.scroll.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.scroll.addEventListener("touchstart", (event) => this.startPinch(event), { passive: false });
    this.scroll.addEventListener("touchmove", (event) => this.onPinch(event), { passive: false });
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(this.box);
  }

  dispose() {
    clearTimeout(this.resting);
    this.observer.disconnect();
    for (const picture of Object.values(this.pictures)) URL.revokeObjectURL(picture.src);
  }

  async show(bytes) {
    const message = unpack(bytes);
    this.showBar(message.bar);
    const turn = ++this.turn;
    const fresh = Object.keys(this.pictures).filter((side) => message[side]?.id !== this.ids[side]);
    // Decode before swapping: the old picture stays until the new one can be painted at once.
    const pictures = await Promise.all(fresh.map((side) => load(side, message.png[message[side]?.id])));
    if (turn !== this.turn) {
      pictures.forEach((picture) => URL.revokeObjectURL(picture.src));
      return;
    }
    const resized = this.width !== message.width || this.height !== message.height;
    this.width = message.width;
    this.height = message.height;
    fresh.forEach((side, i) => {
      URL.revokeObjectURL(this.pictures[side].src);
      this.pictures[side].replaceWith(pictures[i]);
      this.pictures[side] = pictures[i];
      this.ids[side] = message[side]?.id;
    });
    this.guess = message.guess;
    this.guessButton.hidden = message.guess === null;
    this.guessButton.textContent = message.guess ? "Show names" : "Guess";
    for (const side of ["left", "right"]) {
      this.pictures[side].hidden = !message[side];
      this.pictures[side].alt = message[side]?.alt ?? "";
      this.pictures[side].classList.toggle("dimmed", message[side]?.dimmed ?? false);
      this.showChip(this.chips[side], message[side]);
    }
    this.single = !message.left;
    this.box.classList.toggle("single", this.single);
    this.handle.hidden = this.single;
    this.errorButton.hidden = !message.original;
    this.handle.setAttribute("aria-label",
      `Split between ${message.left?.label} and ${message.right.label}`);
    if (resized) this.scroll.scrollTo(0, 0);
    this.layout();
    if (fresh.length) await this.drawErrorMap();
    this.box.dataset.shown = message.right.id;
  }

  showChip(chip, side) {
    chip.hidden = !side;
    const [select, name, figures, half] = chip.children;
    const choices = side?.choices ?? [];
    chip.classList.toggle("choice", choices.length > 0);
    chip.classList.toggle("guess", Boolean(this.guess));
    select.hidden = !choices.length;
    name.hidden = choices.length > 0 || this.guess;
    half.hidden = !this.guess;
    half.disabled = Boolean(side?.dimmed);
    half.textContent = side?.label ?? "";
    name.textContent = side?.label ?? "";
    figures.textContent = side?.figures ?? "";
    figures.hidden = !figures.textContent;
    chip.title = figures.textContent;
    if (String([...select.options].map((option) => option.value)) !== String(choices)) {
      select.replaceChildren(...choices.map((choice) => new Option(choice)));
    }
    if (choices.length) select.value = side.label;
  }

  caption(side) {
    const [select, name, figures] = this.chips[side].children;
    return `${select.hidden ? name.textContent : select.value} ${figures.textContent}`.trim();
  }

  // Slider and numbers

  onSlider() {
    this.moving = true;
    this.showNumbers();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moving = false;
      this.asked = Number(this.slider.value);
      this.tell("quality", this.asked);
    }, REST);
  }

  showBar(bar) {
    this.about = bar;
    this.bar.hidden = !bar;
    this.point.hidden = !bar;
    if (!bar) return;
    // The slider stands where the hand has it, or left it, until the server answers to that: an
    // answer to where it was before would make it jump back.
    if (bar.quality === this.asked) this.asked = undefined;
    if (!this.moving && this.asked === undefined) this.slider.value = bar.quality;
    this.point.textContent = bar.point;
    this.numbers.original.textContent = `of ${bar.original}`;
    this.showNumbers();
  }

  // Counted numbers, where the server has them for this quality, or estimates, marked as such.
  showNumbers() {
    const { about, numbers } = this;
    const quality = Number(this.slider.value);
    const here = quality === about.quality;
    const [sizes, decibels] = about.estimates ?? [];
    const size = (here && about.file_bytes) || sizes?.[quality - 1];
    const psnr = (here && about.psnr) || decibels?.[quality - 1];
    const rough = { bytes: !(here && about.file_bytes), psnr: !(here && about.psnr) };
    const mark = (name, text) => {
      numbers[name].textContent = text === undefined ? "…" : (rough[name] ? "≈ " : "") + text;
      numbers[name].classList.toggle("rough", rough[name]);
    };
    rough.share = rough.bytes;
    numbers.quality.textContent = quality;
    mark("bytes", size && (rough.bytes ? Number(size.toPrecision(3)) : size).toLocaleString("en"));
    mark("share", size && `${(100 * size / about.original_bytes).toFixed(1)} %`);
    mark("psnr", psnr && (psnr >= 100 ? "∞" : psnr.toFixed(rough.psnr ? 1 : 2)));
    const words = psnr < GLANCE ? "seen at a glance" : psnr < ZOOMED ? "seen when zoomed" : "not seen";
    numbers.words.textContent = psnr ? ` · errors ${words}` : "";
    this.box.dataset.counted = here && about.file_bytes ? quality : "";
  }

  // Zoom and layout

  setZoom(zoom) {
    const { left, top } = this.scroll.getBoundingClientRect();
    const { clientWidth, clientHeight } = this.scroll;
    this.zoomAt(zoom, left + clientWidth / 2, top + clientHeight / 2);
  }

  // The place of the picture under a point of the screen stays there.
  zoomAt(zoom, clientX, clientY) {
    const place = () => {
      const { left, top } = this.stage.getBoundingClientRect();
      return [(clientX - left) / this.scale, (clientY - top) / this.scale];
    };
    const before = place();
    this.zoom = zoom;
    this.layout();
    const after = place();
    this.scroll.scrollBy((before[0] - after[0]) * this.scale, (before[1] - after[1]) * this.scale);
    this.placeSplit();
  }

  zoomTo(scale, clientX, clientY) {
    const fit = this.fitScale();
    this.zoomAt(scale <= fit ? "fit" : String(Math.min(scale, Math.max(DEEPEST, fit))),
      clientX, clientY);
  }

  onWheel(event) {
    if (event.deltaY > 0 && this.scale <= this.fitScale()) return; // the page scrolls on
    event.preventDefault();
    const lines = event.deltaMode ? 16 : 1;
    const strength = event.ctrlKey ? 0.01 : 0.002; // a pinch on a touchpad comes as ctrl and wheel
    this.zoomTo(this.scale * Math.exp(-event.deltaY * lines * strength), event.clientX, event.clientY);
  }

  startPinch(event) {
    this.pinch = null;
    if (event.touches.length !== 2) return;
    event.preventDefault();
    this.pinch = { distance: spread(event.touches), scale: this.scale };
  }

  onPinch(event) {
    if (!this.pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const [one, two] = event.touches;
    this.zoomTo(this.pinch.scale * spread(event.touches) / this.pinch.distance,
      (one.clientX + two.clientX) / 2, (one.clientY + two.clientY) / 2);
  }

  tallest() {
    return clamp(window.innerHeight - AROUND, 240, TALLEST);
  }

  fitScale() {
    const width = this.box.clientWidth - 2; // the frame's border
    return Math.min(width / this.width, this.tallest() / this.height);
  }

  layout() {
    if (!this.width) return;
    this.scale = this.zoom === "fit" ? this.fitScale() : Number(this.zoom);
    this.stage.style.width = `${this.width * this.scale}px`;
    this.stage.style.height = `${this.height * this.scale}px`;
    this.scroll.style.maxHeight = `${this.tallest()}px`;
    // Below 2:1 pixels of unequal size would show; from there on every pixel is to be seen.
    this.box.classList.toggle("smooth", this.scale < 2 && this.scale % 1 !== 0);
    const pannable = this.scale > this.fitScale()
      && (this.scroll.scrollWidth > this.scroll.clientWidth
        || this.scroll.scrollHeight > this.scroll.clientHeight);
    this.box.classList.toggle("pannable", pannable);
    for (const button of this.zoomButtons) {
      button.setAttribute("aria-pressed", String(button.dataset.zoom === this.zoom));
    }
    const size = `${this.width} × ${this.height}`;
    this.scaleText.textContent = `${size} pixels, shown at ${Math.round(this.scale * 100)} %`;
    this.placeSplit();
  }

  // Split: a share of the visible part of the picture, so that it never scrolls out of sight

  visible() {
    const width = Math.min(this.scroll.clientWidth, this.width * this.scale);
    return { left: (this.scroll.clientWidth - width) / 2, width };
  }

  placeSplit() {
    if (!this.width) return;
    const { left, width } = this.visible();
    const x = this.split * width;
    this.handle.style.transform = `translateX(${left + x}px)`;
    this.handle.style.height = `${this.scroll.clientHeight}px`;
    this.stage.style.setProperty("--cut", this.single ? "0" : `${this.scroll.scrollLeft + x}px`);
    const percent = Math.round(this.split * 100);
    this.handle.setAttribute("aria-valuenow", String(percent));
    this.handle.setAttribute("aria-valuetext",
      `${percent} % ${this.caption("left")}, ${100 - percent} % ${this.caption("right")}`);
  }

  setSplit(split) {
    this.split = clamp(split, 0, 1);
    this.placeSplit();
  }

  splitTo(clientX) {
    const { left, width } = this.visible();
    this.setSplit((clientX - this.scroll.getBoundingClientRect().left - left) / width);
  }

  onKey(event) {
    const step = event.shiftKey ? 0.1 : 0.01;
    const moves = {
      ArrowLeft: this.split - step,
      ArrowDown: this.split - step,
      ArrowRight: this.split + step,
      ArrowUp: this.split + step,
      PageDown: this.split - 0.1,
      PageUp: this.split + 0.1,
      Home: 0,
      End: 1,
    };
    if (event.key in moves) {
      event.preventDefault();
      this.setSplit(moves[event.key]);
    }
  }

  // Pointers

  follow(event, target, onMove, onEnd = () => {}) {
    target.setPointerCapture(event.pointerId);
    const end = () => {
      target.removeEventListener("pointermove", onMove);
      target.removeEventListener("pointerup", end);
      target.removeEventListener("pointercancel", end);
      onEnd();
    };
    target.addEventListener("pointermove", onMove);
    target.addEventListener("pointerup", end);
    target.addEventListener("pointercancel", end);
  }

  startSplit(event, target) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    this.splitTo(event.clientX);
    this.follow(event, target, (move) => this.pinch || this.splitTo(move.clientX));
  }

  // On the picture itself a drag moves the split; once there is more picture than room, it pans.
  onPicture(event) {
    const box = this.scroll.getBoundingClientRect();
    const onScrollbar = event.clientX - box.left > this.scroll.clientWidth
      || event.clientY - box.top > this.scroll.clientHeight;
    if (event.button !== 0 || onScrollbar) return;
    if (!this.box.classList.contains("pannable")) {
      if (!this.single) this.startSplit(event, this.scroll);
      return;
    }
    if (event.pointerType === "touch") return; // the browser pans by itself
    const from = { x: event.clientX + this.scroll.scrollLeft,
                   y: event.clientY + this.scroll.scrollTop };
    this.box.classList.add("panning");
    this.follow(event, this.scroll,
      (move) => this.scroll.scrollTo(from.x - move.clientX, from.y - move.clientY),
      () => this.box.classList.remove("panning"));
  }

  // Error map

  async drawErrorMap() {
    const on = this.errorMap && Boolean(this.ids.original);
    this.errorButton.setAttribute("aria-pressed", String(on));
    this.legend.hidden = !on;
    for (const [side, canvas] of Object.entries(this.errors)) {
      canvas.hidden = !on || this.pictures[side].hidden;
      if (!canvas.hidden) this.drawErrors(side, canvas);
    }
  }

  samples(picture) {
    const { width, height } = this;
    const sheet = Object.assign(document.createElement("canvas"), { width, height });
    const context = sheet.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  }

  drawErrors(side, canvas) {
    const { width, height } = this;
    const [shown, original] = [this.pictures[side], this.pictures.original].map(this.samples, this);
    const map = new ImageData(width, height);
    for (let i = 0; i < map.data.length; i += 4) {
      const worst = Math.max(
        Math.abs(shown[i] - original[i]),
        Math.abs(shown[i + 1] - original[i + 1]),
        Math.abs(shown[i + 2] - original[i + 2]),
      );
      map.data.set(ramp[Math.min(worst, ERROR_TOP)], i);
      map.data[i + 3] = 255;
    }
    Object.assign(canvas, { width, height });
    canvas.getContext("2d").putImageData(map, 0, 0);
    canvas.setAttribute("aria-label", `Error map of ${this.caption(side)} against the original`);
  }
}

const shown = new WeakMap();

// Streamlit ends and begins a component again on the same elements now and then; what stands there
// goes on as it is. Only where the elements are gone is it given up.
export default function ({ parentElement, data, setStateValue }) {
  if (!shown.get(parentElement)?.box.isConnected) {
    shown.set(parentElement, new Compare(parentElement));
  }
  const compare = shown.get(parentElement);
  compare.tell = setStateValue;
  compare.show(data);
  return () => setTimeout(() => compare.box.isConnected || compare.dispose());
}
