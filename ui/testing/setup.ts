// happy-dom lacks what only a browser that lays out can know; tests set the sizes they need.
if (!('ResizeObserver' in globalThis)) {
  class NoResize {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
  Object.defineProperty(globalThis, 'ResizeObserver', { value: NoResize });
}
