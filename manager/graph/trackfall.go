package graph

import "slices"

// inTracks is what fell by tracks.
type inTracks struct {
	programs []int32  // in order
	lists    []uint32 // where the tracks are of those that strike others, in order
	passed   int      // so many of these were followed
	parted   []int32  // programs one of whose services fell by itself
}

// failAlone lets a candidate fail.
func (w *weighing) failAlone(n *node) {
	p := w.tracked(n)
	switch {
	case p == nil:
		w.fail(n)
	case n == p:
		w.fall(p.index)
	case !w.tracks.fell.has(int(p.index)): // else it did with its program
		w.parted = append(w.parted, p.index)
		w.fail(n)
	}
}

// tracked is the program whose track tells of a node, or nil.
func (w *weighing) tracked(n *node) (p *node) {
	switch {
	case w.tracks == nil:
		return nil
	case n.kind == nodeService:
		p = n.soleProgram()
	case n.kind == nodeProcess:
		p = n
	}
	if p == nil || w.tracks.weight(w.v, p.index) == 0 {
		return nil
	}
	return p
}

// takes lets what is struck fall by its track, if it has one. A service is struck by its program,
// which then has none, or by its host, with which its program falls as well.
func (w *weighing) takes(n *node, how effect, by *node) bool {
	if n.kind == nodeService && by.kind == nodeProcess {
		return false
	}
	p := w.tracked(n)
	if p != nil && how >= affected {
		w.fall(p.index)
	}
	return p != nil
}

// follow spreads the fall of what did not fall by a track: of a candidate that is the service of a
// program that has one, by this.
func (w *weighing) follow(n *node) {
	if n == w.last.node {
		if p := w.tracked(n); p != nil && p.told == 1 {
			w.along(w.tracks.of(p.index))
			return
		}
	}
	w.spread(n)
}

// strikesAhead is how many that are struck are read ahead of letting them fall.
const strikesAhead = 128

// along strikes whom the fall of a program strikes, some at a time.
func (w *weighing) along(struck []int32) {
	for len(struck) > 0 && w.reached() < w.bound {
		some := struck[:min(len(struck), strikesAhead)]
		struck = struck[len(some):]
		for _, p := range w.standing(some) {
			if !w.fall(p) {
				w.hitOnce(p)
			}
		}
	}
}

// standing affects what is no program, and is the programs that have not fallen. What is known of
// these lies all over memory: it is read in a loop of its own, since what does not hang on each
// other is fetched at once.
func (w *weighing) standing(struck []int32) []int32 {
	list := w.fresh[:0]
	for _, to := range struck {
		switch {
		case to < 0:
			w.hitOnce(^to)
		case !w.tracks.fell.has(int(to)):
			list = append(list, to)
		}
	}
	for _, p := range list {
		w.read += int(w.tracks.at[p])
	}
	w.fresh = list
	return list
}

// hitOnce affects what has no track, unless it is.
func (w *weighing) hitOnce(index int32) {
	if h := w.hits[index]; h.effect < affected {
		w.hit(index, hit{effect: affected, counted: h.counted})
	}
}

// fall lets a program fall with all that it runs, and is false where its track does not tell.
func (w *weighing) fall(p int32) bool {
	if w.tracks.fell.has(int(p)) {
		return true
	}
	weight := w.tracks.weight(w.v, p)
	if weight == 0 {
		return false
	}
	w.tracks.fell.add(int(p))
	w.programs = append(w.programs, p)
	if at := w.tracks.at[p]; at >= noTrack {
		w.lists = append(w.lists, at)
	}
	if len(w.parted) > 0 && slices.Contains(w.parted, p) {
		weight -= w.apart(w.v.list[p])
	}
	w.others += weight
	return true
}

// apart is how many services of a program fell by themselves.
func (w *weighing) apart(p *node) (n int) {
	for _, e := range p.in() {
		n += b2i(e.kind == edgeRunsAs && !e.from.ended() && w.effect(e.from) >= affected)
	}
	return n
}

// keepAll remembers what has fallen, so that backAll lets stand again what fell since, and restart
// everything.
func (w *weighing) keepAll() {
	w.keep()
	w.kept, w.keptOthers = w.inTracks, w.others
}

func (w *weighing) backAll() {
	w.back()
	w.stand(len(w.kept.programs))
	w.inTracks, w.others = w.kept, w.keptOthers
}

func (w *weighing) restart() {
	w.reset()
	w.stand(0)
	w.inTracks = inTracks{programs: w.programs[:0], lists: w.lists[:0], parted: w.parted[:0]}
}

// stand lets programs stand again but for the first so many.
func (w *weighing) stand(but int) {
	for _, p := range w.programs[but:] {
		w.tracks.fell[p/64] &^= 1 << (p % 64)
	}
}
