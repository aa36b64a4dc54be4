package value

import (
	"math"

	"cassini/manager/cypher/temporal"
)

// Equal is the language's "=": null where it cannot be known.
func Equal(a, b Value) Truth {
	if a == nil || b == nil {
		return Unknown
	}
	switch a := a.(type) {
	case int64, float64:
		c, ok := compareNumbers(a, b)
		return of(ok && c == 0)
	case List:
		if b, ok := b.(List); ok {
			return equalLists(a, b)
		}
		return False
	case Map:
		if b, ok := b.(Map); ok {
			return equalMaps(a, b)
		}
		return False
	case *Node:
		n, ok := b.(*Node)
		return of(ok && n.ID == a.ID)
	case *Relationship:
		r, ok := b.(*Relationship)
		return of(ok && r.ID == a.ID)
	case *Path:
		p, ok := b.(*Path)
		return of(ok && samePath(a, p))
	case temporal.Duration:
		return of(a == b)
	}
	if c, ok := temporal.Compare(a, b); ok {
		return of(c == 0)
	}
	if temporal.Is(a) || temporal.Is(b) {
		return False
	}
	return of(a == b) // bool and string
}

// compareNumbers compares without losing what a float cannot hold. ok is false
// if one is no number, or not a number.
func compareNumbers(a, b Value) (c int, ok bool) {
	switch a := a.(type) {
	case int64:
		switch b := b.(type) {
		case int64:
			return sign(a < b, a > b), true
		case float64:
			return -compareFloatInt(b, a), !math.IsNaN(b)
		}
	case float64:
		switch b := b.(type) {
		case int64:
			return compareFloatInt(a, b), !math.IsNaN(a)
		case float64:
			return sign(a < b, a > b), !math.IsNaN(a) && !math.IsNaN(b)
		}
	}
	return 0, false
}

func compareFloatInt(f float64, i int64) int {
	switch {
	case f >= math.MaxInt64:
		return 1
	case f < math.MinInt64:
		return -1
	}
	whole := math.Floor(f)
	if n := int64(whole); n != i {
		return sign(n < i, n > i)
	}
	return sign(false, f > whole)
}

func sign(less, more bool) int {
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}

// equalLists is false as soon as one pair differs for sure.
func equalLists(a, b List) Truth {
	if len(a) != len(b) {
		return False
	}
	answer := True
	for i := range a {
		switch Equal(a[i], b[i]) {
		case False:
			return False
		case Unknown:
			answer = Unknown
		}
	}
	return answer
}

func equalMaps(a, b Map) Truth {
	if len(a) != len(b) {
		return False
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			return False
		}
	}
	answer := True
	for name, v := range a {
		switch Equal(v, b[name]) {
		case False:
			return False
		case Unknown:
			answer = Unknown
		}
	}
	return answer
}

func samePath(a, b *Path) bool {
	if len(a.Relationships) != len(b.Relationships) || a.Nodes[0].ID != b.Nodes[0].ID {
		return false
	}
	for i, r := range a.Relationships {
		if r.ID != b.Relationships[i].ID || a.Nodes[i+1].ID != b.Nodes[i+1].ID {
			return false
		}
	}
	return true
}

// In is the language's "IN".
func In(v Value, list List) Truth {
	answer := False
	for _, e := range list {
		switch Equal(v, e) {
		case True:
			return True
		case Unknown:
			answer = Unknown
		}
	}
	return answer
}

// Compare is what "<" and its like stand on. known is Unknown where two values
// cannot be compared, and False where one of them is not a number: then every
// comparison is false.
func Compare(a, b Value) (c int, known Truth) {
	switch x := a.(type) {
	case int64, float64:
		if isNumber(b) {
			c, ok := compareNumbers(a, b)
			return c, of(ok)
		}
	case string:
		if y, ok := b.(string); ok {
			return sign(x < y, x > y), True
		}
	case bool:
		if y, ok := b.(bool); ok {
			return sign(!x && y, x && !y), True
		}
	case List:
		if y, ok := b.(List); ok {
			return compareLists(x, y)
		}
	}
	if c, ok := temporal.Compare(a, b); ok {
		return c, True
	}
	return 0, Unknown
}

func isNumber(v Value) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

func compareLists(a, b List) (int, Truth) {
	for i := range min(len(a), len(b)) {
		if Equal(a[i], b[i]) == True {
			continue
		}
		return Compare(a[i], b[i])
	}
	return sign(len(a) < len(b), len(a) > len(b)), True
}
