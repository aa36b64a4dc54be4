package names

import "container/list"

// lru is a bounded map that forgets what was longest not used.
type lru[K comparable, V any] struct {
	limit int
	order *list.List // of *pair[K, V], the last used first
	byKey map[K]*list.Element
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), byKey: make(map[K]*list.Element)}
}

// get finds a value and counts as its use.
func (l *lru[K, V]) get(key K) (v V, ok bool) {
	e, ok := l.byKey[key]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*pair[K, V]).value, true
}

// put adds or replaces a value. Another may have to make room: then forgot is true.
func (l *lru[K, V]) put(key K, value V) (forgotten K, had V, forgot bool) {
	if e, ok := l.byKey[key]; ok {
		e.Value.(*pair[K, V]).value = value
		l.order.MoveToFront(e)
		return forgotten, had, false
	}
	l.byKey[key] = l.order.PushFront(&pair[K, V]{key, value})
	if len(l.byKey) <= l.limit {
		return forgotten, had, false
	}
	last := l.order.Back()
	l.order.Remove(last)
	p := last.Value.(*pair[K, V])
	delete(l.byKey, p.key)
	return p.key, p.value, true
}
