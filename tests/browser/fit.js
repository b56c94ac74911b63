// Takes the ids of drawn charts, and whether they have data. Returns, for each at fault, a list of complaints: texts that
// overlap or are cut, and data without marks.
(charts) => {
  const ALLOWED = 1; // pixels, in both directions

  const visible = (node, chart) => {
    for (let at = node; at !== chart; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return false;
    }
    return true;
  };

  // the four corners of a text on the page, also where it is rotated
  const corners = (text) => {
    const box = text.getBBox();
    const matrix = text.getScreenCTM();
    return [
      [box.x, box.y],
      [box.x + box.width, box.y],
      [box.x + box.width, box.y + box.height],
      [box.x, box.y + box.height],
    ].map(([x, y]) => [matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f]);
  };

  // two boxes are apart if some side of one of them is parallel to a line between them
  const overlap = (one, other) => {
    let least = Infinity;
    for (const box of [one, other]) {
      for (const side of [0, 1]) {
        const [x, y] = [box[side + 1][0] - box[side][0], box[side + 1][1] - box[side][1]];
        const long = Math.hypot(x, y) || 1;
        const along = (point) => (point[0] * x + point[1] * y) / long;
        const [a, b] = [one.map(along), other.map(along)];
        least = Math.min(least, Math.min(Math.max(...a), Math.max(...b)) - Math.max(Math.min(...a), Math.min(...b)));
      }
    }
    return least;
  };

  const complaintsAbout = (chart, hasData) => {
    const frame = chart.getBoundingClientRect();
    const complaints = [];

    const texts = [...chart.querySelectorAll(".main-svg text")]
      .filter((text) => text.textContent.trim() && text.getBBox().width > 0 && visible(text, chart))
      .map((text) => ({ words: text.textContent.trim().slice(0, 60), box: corners(text) }));

    for (const { words, box } of texts) {
      const cut = Math.max(
        ...box.map(([x, y]) => Math.max(frame.left - x, x - frame.right, frame.top - y, y - frame.bottom)),
      );
      if (cut > ALLOWED) complaints.push(`"${words}" is cut by ${cut.toFixed(1)} px`);
    }
    texts.forEach((one, place) => {
      for (const other of texts.slice(place + 1)) {
        const depth = overlap(one.box, other.box);
        if (depth > ALLOWED) complaints.push(`"${one.words}" and "${other.words}" overlap by ${depth.toFixed(1)} px`);
      }
    });

    const layers = ".barlayer, .scatterlayer, .heatmaplayer, .treemaplayer, .iciclelayer, .sunburstlayer";
    const marks = [...chart.querySelectorAll(`:is(${layers}) :is(path, rect, image)`)].filter((mark) => {
      const box = mark.getBoundingClientRect();
      return box.width + box.height > 0;
    });
    if (hasData && !marks.length) complaints.push("nothing is drawn");
    if (!hasData && !texts.length) complaints.push("nothing is said");
    return complaints;
  };

  const found = Object.entries(charts).map(([id, hasData]) => [id, complaintsAbout(document.getElementById(id), hasData)]);
  return Object.fromEntries(found.filter(([, complaints]) => complaints.length));
}
