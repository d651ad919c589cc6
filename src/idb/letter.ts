// How IDBs that are read together are called, in lines and as tables' schemas: a, b, c, … in the order in which they were named.

/** Of the IDB at this place, from 0; behind z, by number. */
export function letterOf(place: number): string {
  return place < 26 ? String.fromCharCode("a".charCodeAt(0) + place) : `#${place + 1}`;
}
