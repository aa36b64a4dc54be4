package value

import (
	"encoding/binary"
	"math"

	"cassini/manager/cypher/temporal"
)

// AppendKey appends what tells a value from others when rows are grouped or made
// distinct: equal values have equal keys, null is like null, and not-a-number like
// itself. Keys of several values can stand one behind the other.
func AppendKey(key []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(key, '0')
	case bool:
		if v {
			return append(key, 'T')
		}
		return append(key, 'F')
	case int64:
		return number(append(key, 'I'), v)
	case float64:
		return appendFloat(key, v)
	case string:
		return text(append(key, 'S'), v)
	case List:
		key = number(append(key, 'L'), int64(len(v)))
		for _, e := range v {
			key = AppendKey(key, e)
		}
		return key
	case Map:
		key = number(append(key, 'M'), int64(len(v)))
		for _, name := range Names(v) {
			key = AppendKey(text(key, name), v[name])
		}
		return key
	case *Node:
		return number(append(key, 'N'), v.ID)
	case *Relationship:
		return number(append(key, 'R'), v.ID)
	case *Path:
		return appendPath(key, v)
	case temporal.DateTime: // the moment counts, not how it is written
		t := v.Time()
		return number(number(append(key, 'D'), t.Unix()), int64(t.Nanosecond()))
	}
	return text(append(text(key, TypeName(v)), 'X'), Format(v))
}

func number(key []byte, n int64) []byte { return binary.BigEndian.AppendUint64(key, uint64(n)) }

func text(key []byte, s string) []byte { return append(number(key, int64(len(s))), s...) }

// appendFloat gives a whole float the key of the integer that it equals.
func appendFloat(key []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(key, '?')
	case f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64:
		return number(append(key, 'I'), int64(f))
	}
	return number(append(key, 'f'), int64(math.Float64bits(f)))
}

func appendPath(key []byte, p *Path) []byte {
	key = number(append(key, 'P'), int64(len(p.Relationships)))
	key = number(key, p.Nodes[0].ID)
	for _, r := range p.Relationships {
		key = number(key, r.ID)
	}
	return key
}
