// Cards of bars. The server says what they are; here they are drawn in place, so that they grow and shrink.
const FEW = 9; // bars of a card before "show all"

export default {
  props: {
    dimensions: { type: Array, default: () => [] },
    hits: { type: Object, default: () => ({}) }, // dimension -> bars that were found
    filtered: Boolean,
    busy: Boolean,
  },
  emits: ["toggle", "look"],
  data: () => ({ open: {}, asked: {}, columns: 3 }),
  mounted() {
    this.watcher = new ResizeObserver(([entry]) => {
      this.columns = Math.max(1, Math.floor((entry.contentRect.width + 12) / 300));
    });
    this.watcher.observe(this.$el);
  },
  unmounted() { this.watcher.disconnect(); },
  computed: {
    told() { return this.dimensions.filter((one) => one.bars.filter((bar) => bar.total).length > 1 || one.chosen); },
    // Each card goes into the shortest column, by what it holds and not by what is selected: none ever jumps.
    stacks() {
      const stacks = Array.from({ length: this.columns }, () => ({ height: 0, cards: [] }));
      for (const one of this.told) {
        const stack = stacks.reduce((best, next) => (next.height < best.height ? next : best));
        stack.cards.push(one);
        stack.height += 2.2 + Math.min(one.bars.length, FEW + 3);
      }
      return stacks;
    },
    bare() { return this.dimensions.filter((one) => !this.told.includes(one)).map((one) => one.name); },
  },
  methods: {
    shown(one) {
      const piece = (this.asked[one.key] || "").trim().toLowerCase();
      if (piece) {
        const found = one.searchable ? this.hits[one.key] || [] : one.bars;
        return found.filter((bar) => bar.name.toLowerCase().includes(piece));
      }
      if (this.open[one.key] || one.bars.length <= FEW + 2) return one.bars;
      const first = one.bars.slice(0, FEW);
      return [...first, ...one.bars.slice(FEW).filter((bar) => bar.chosen)];
    },
    hidden(one) {
      return (this.asked[one.key] || "").trim() ? 0 : one.bars.length - this.shown(one).length;
    },
    // Against the longest of the selection, so that the shape of a few hundred among many is seen as well.
    most(one) { return Math.max(1, ...one.bars.map((bar) => bar.selected), ...this.shown(one).map((bar) => bar.selected)); },
    width(number, one) { return number ? `max(3px, ${(100 * number) / this.most(one)}%)` : "0"; },
    written(number) { return number.toLocaleString("en-US").replaceAll(",", "\u202f"); },
    title(bar) { return `${bar.name}: ${this.written(bar.selected)} of ${this.written(bar.total)}`; },
    ask(one, event) {
      this.asked[one.key] = event.target.value;
      if (one.searchable) this.$emit("look", { dimension: one.key, text: event.target.value });
    },
  },
  template: `
    <div class="board-of-bars" :class="{ busy, filtered }">
    <p v-if="!dimensions.length" class="counting soft">Counting everybody …</p>
    <div class="cards">
    <div v-for="(stack, place) in stacks" :key="place" class="card-stack">
      <section v-for="one in stack.cards" :key="one.key" class="card" :class="{ filtered: one.chosen }" :data-dimension="one.key" :aria-label="one.name">
        <header class="card-head">
          <h2>{{ one.name }}</h2>
          <input v-if="one.bars.length > (one.searchable ? 8 : 11)" type="search" class="card-search" placeholder="Search" maxlength="200"
                 :aria-label="'Search ' + one.name" :value="asked[one.key] || ''" @input="ask(one, $event)">
          <button v-if="one.chosen" type="button" class="card-clear" @click="$emit('toggle', { dimension: one.key })">Clear</button>
        </header>
        <div class="bars" :class="{ tall: open[one.key] }">
          <button v-for="bar in shown(one)" :key="bar.id" type="button" class="facet" :title="title(bar)"
                  :class="{ chosen: bar.chosen, zero: !bar.selected }" :aria-pressed="bar.chosen ? 'true' : 'false'"
                  :data-name="bar.name" @click="$emit('toggle', { dimension: one.key, bar: bar.id })">
            <span class="fill" :style="{ width: width(bar.selected, one) }"></span>
            <span class="facet-name">{{ bar.name }}</span>
            <span class="facet-count">{{ written(bar.selected) }}</span>
            <span v-if="filtered" class="facet-total">/ {{ written(bar.total) }}</span>
          </button>
          <p v-if="!shown(one).length" class="soft">Nothing is called that.</p>
        </div>
        <button v-if="hidden(one) > 0" type="button" class="card-more" @click="open[one.key] = true">Show {{ hidden(one) }} more</button>
        <button v-else-if="open[one.key] && one.bars.length > 11" type="button" class="card-more" @click="open[one.key] = false">Show fewer</button>
      </section>
    </div>
    </div>
      <p v-if="bare.length" class="bare soft">The same for everybody: {{ bare.join(", ") }}.</p>
    </div>`,
};
