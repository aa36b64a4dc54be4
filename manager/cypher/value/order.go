package value

import (
	"math"
	"slices"
	"strings"

	"cassini/manager/cypher/temporal"
)

// Order is the total order of ORDER BY, min and max: every two values have one,
// types one after the other, null last.
func Order(a, b Value) int {
	if ra, rb := rank(a), rank(b); ra != rb {
		return sign(ra < rb, ra > rb)
	}
	switch x := a.(type) {
	case Map:
		return orderMaps(x, b.(Map))
	case *Node:
		y := b.(*Node)
		return sign(x.ID < y.ID, x.ID > y.ID)
	case *Relationship:
		y := b.(*Relationship)
		return sign(x.ID < y.ID, x.ID > y.ID)
	case List:
		return orderLists(x, b.(List))
	case *Path:
		return orderPaths(x, b.(*Path))
	case string:
		return strings.Compare(x, b.(string))
	case temporal.Duration:
		return x.Order(b.(temporal.Duration))
	}
	c, _ := Compare(a, b)
	return c
}

// rank is the place of a value's type in the order.
func rank(v Value) int {
	switch v := v.(type) {
	case Map:
		return 0
	case *Node:
		return 1
	case *Relationship:
		return 2
	case List:
		return 3
	case *Path:
		return 4
	case string:
		return 11
	case bool:
		return 12
	case float64:
		if math.IsNaN(v) {
			return 14
		}
		return 13
	case int64:
		return 13
	case nil:
		return 15
	}
	return temporalRank(v)
}

func temporalRank(v Value) int {
	switch v.(type) {
	case temporal.DateTime:
		return 5
	case temporal.LocalDateTime:
		return 6
	case temporal.Date:
		return 7
	case temporal.Time:
		return 8
	case temporal.LocalTime:
		return 9
	}
	return 10
}

func orderLists(a, b List) int {
	for i := range min(len(a), len(b)) {
		if c := Order(a[i], b[i]); c != 0 {
			return c
		}
	}
	return sign(len(a) < len(b), len(a) > len(b))
}

// orderMaps goes by the names first, so that maps of one shape lie together.
func orderMaps(a, b Map) int {
	an, bn := Names(a), Names(b)
	if c := slices.Compare(an, bn); c != 0 {
		return c
	}
	for _, name := range an {
		if c := Order(a[name], b[name]); c != 0 {
			return c
		}
	}
	return 0
}

// Names are the names in a map, sorted.
func Names(m Map) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func orderPaths(a, b *Path) int {
	if c := Order(a.Nodes[0], b.Nodes[0]); c != 0 {
		return c
	}
	for i := range min(len(a.Relationships), len(b.Relationships)) {
		if c := Order(a.Relationships[i], b.Relationships[i]); c != 0 {
			return c
		}
	}
	return sign(len(a.Relationships) < len(b.Relationships), len(a.Relationships) > len(b.Relationships))
}
