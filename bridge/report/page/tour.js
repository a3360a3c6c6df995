// The guided tour: its text is in tour.html, where each step also names the view that it sets.

class Tour {
  constructor(onStep) {
    this.steps = [...byId("steps").children];
    this.onStep = onStep;
    this.now = -1;
    byId("before").addEventListener("click", () => this.goTo(this.now - 1));
    byId("next").addEventListener("click", () => this.goTo(this.now + 1));
    this.mark(0);
  }

  goTo(step) {
    this.mark(step);
    const { tab, at, load, only } = this.steps[this.now].dataset;
    this.onStep(this.now, { tab, at: at && Number(at), load: load && Number(load), only: (only ?? "").split(" ").filter(Boolean) });
  }

  mark(step) {
    this.now = Math.min(this.steps.length - 1, Math.max(0, step));
    this.steps.forEach((part, k) => { part.hidden = k !== this.now; });
    byId("step").textContent = `Step ${this.now + 1} of ${this.steps.length}`;
    byId("before").disabled = this.now === 0;
    byId("next").disabled = this.now === this.steps.length - 1;
  }
}
