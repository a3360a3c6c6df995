// The state of the page in its address, so that it can be sent and comes back when it is reloaded.

class Address {
  constructor() {
    this.values = new URLSearchParams(location.hash.slice(1));
  }

  get(name) {
    return this.values.get(name);
  }

  number(name) {
    const value = Number(this.get(name) ?? NaN);
    return Number.isFinite(value) ? value : null;
  }

  set(changes) {
    for (const [name, value] of Object.entries(changes)) this.values.set(name, value);
    history.replaceState(null, "", `#${this.values}`);
  }

  // Call with every state that comes from outside: a link that is followed, a step back.
  follow(show) {
    addEventListener("hashchange", () => {
      this.values = new URLSearchParams(location.hash.slice(1));
      show();
    });
  }
}
