package graph

import "cassini/model"

// bodies are those of which hosts tell most, besides dependencies, in memory that is used again. Nil
// has none: what it hands out is new.
type bodies struct {
	listeners []model.Listener
	ifaces    []model.Interface
	neighbors []model.Neighbor
}

func (b *bodies) listener() *model.Listener {
	if b == nil {
		return new(model.Listener)
	}
	return oneMore(&b.listeners)
}

func (b *bodies) iface() *model.Interface {
	if b == nil {
		return new(model.Interface)
	}
	return oneMore(&b.ifaces)
}

func (b *bodies) neighbor() *model.Neighbor {
	if b == nil {
		return new(model.Neighbor)
	}
	return oneMore(&b.neighbors)
}

// again takes back what was handed out, and keeps nothing of what it held.
func (b *bodies) again() {
	b.listeners, b.ifaces, b.neighbors = emptied(b.listeners), emptied(b.ifaces), emptied(b.neighbors)
}

// oneMore is another of a list, zero. It stays where it is when the list grows.
func oneMore[T any](list *[]T) *T {
	if len(*list) == cap(*list) {
		*list = make([]T, 0, 2*cap(*list)+16) // those before belong to who has them
	}
	*list = (*list)[:len(*list)+1]
	return &(*list)[len(*list)-1]
}

func emptied[T any](list []T) []T {
	clear(list)
	return list[:0]
}
