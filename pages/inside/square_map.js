// Pictures of one size under one grid of squares. A click or an arrow key chooses a square in all
// of them; the server is told where the choice rests.

const REST = 180; // ms

export default ({ data, parentElement, setStateValue }) => {
  const root = parentElement.querySelector(".squares");
  const { panels, width, height, side } = data;
  const columns = Math.ceil(width / side), rows = Math.ceil(height / side);
  let [column, row] = data.square;

  if (root.dataset.id !== data.id) {
    root.dataset.id = data.id;
    root.replaceChildren(...panels.map((panel) => {
      const figure = document.createElement("figure");
      const plane = document.createElement("div");
      plane.className = "plane";
      plane.tabIndex = 0;
      plane.setAttribute("role", "slider");
      plane.setAttribute("aria-label", `${panel.alt} Arrow keys choose a square.`);
      const picture = new Image();
      picture.src = panel.picture;
      picture.alt = panel.alt;
      picture.draggable = false;
      const frame = document.createElement("div");
      frame.className = "frame";
      const caption = document.createElement("figcaption");
      caption.textContent = panel.label;
      plane.append(picture, frame);
      figure.append(plane, caption);
      return figure;
    }));
  }

  const planes = [...root.querySelectorAll(".plane")];
  const draw = () => planes.forEach((plane) => {
    const frame = plane.querySelector(".frame");
    frame.style.left = `${(100 * side * column) / width}%`;
    frame.style.top = `${(100 * side * row) / height}%`;
    frame.style.width = `${(100 * Math.min(side, width - side * column)) / width}%`;
    frame.style.height = `${(100 * Math.min(side, height - side * row)) / height}%`;
    plane.setAttribute("aria-valuenow", row * columns + column + 1);
    plane.setAttribute("aria-valuemin", 1);
    plane.setAttribute("aria-valuemax", rows * columns);
    plane.setAttribute("aria-valuetext", `${column + 1} across, ${row + 1} down`);
  });
  const choose = (x, y) => {
    column = Math.min(Math.max(x, 0), columns - 1);
    row = Math.min(Math.max(y, 0), rows - 1);
    draw();
    clearTimeout(root.timer);
    root.timer = setTimeout(() => setStateValue("square", `${column},${row}`), REST);
  };

  for (const plane of planes) {
    plane.onclick = (event) => {
      const box = plane.getBoundingClientRect();
      choose(Math.floor(((event.clientX - box.left) / box.width) * width / side),
             Math.floor(((event.clientY - box.top) / box.height) * height / side));
    };
    plane.onkeydown = (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (event.key in step) {
        event.preventDefault();
        event.stopPropagation();
        choose(column + step[event.key][0], row + step[event.key][1]);
      }
    };
  }
  draw();
};
