package graph

// whereabouts are what documents tell of machines, by hardware address and by the interface
// that met them: what an interface that comes or goes can have joined otherwise.
type whereabouts[T comparable] struct {
	byMAC, at map[string][]T
}

func newWhereabouts[T comparable]() whereabouts[T] {
	return whereabouts[T]{byMAC: make(map[string][]T), at: make(map[string][]T)}
}

// add adds one under an address or an interface that is not "", or both.
func (w whereabouts[T]) add(mac, at string, one T) {
	if mac != "" {
		w.byMAC[mac] = append(w.byMAC[mac], one)
	}
	if at != "" {
		w.at[at] = append(w.at[at], one)
	}
}

func (w whereabouts[T]) drop(mac, at string, one T) {
	for _, of := range []struct {
		index map[string][]T
		key   string
	}{{w.byMAC, mac}, {w.at, at}} {
		if of.key == "" {
			continue
		}
		if of.index[of.key] = remove(of.index[of.key], one); of.index[of.key] == nil {
			delete(of.index, of.key)
		}
	}
}

// near are those of some hardware addresses and interfaces, each once.
func (w whereabouts[T]) near(macs, at []string) []T {
	seen := make(map[T]bool)
	var list []T
	for _, of := range []struct {
		index map[string][]T
		keys  []string
	}{{w.byMAC, macs}, {w.at, at}} {
		for _, key := range of.keys {
			for _, one := range of.index[key] {
				if !seen[one] {
					seen[one] = true
					list = append(list, one)
				}
			}
		}
	}
	return list
}
