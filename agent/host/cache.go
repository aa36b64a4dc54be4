package host

// cache is a bounded map. When it is full the older half is forgotten: entries
// not read since the last turn. It is not safe for concurrent use.
type cache[K comparable, V any] struct {
	limit       int
	young, aged map[K]V
}

func (c *cache[K, V]) get(key K) (V, bool) {
	if v, ok := c.young[key]; ok {
		return v, true
	}
	v, ok := c.aged[key]
	if ok {
		c.put(key, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	if c.young == nil || len(c.young) >= c.limit/2 {
		c.aged, c.young = c.young, make(map[K]V)
	}
	c.young[key] = v
}
