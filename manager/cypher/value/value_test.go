package value

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// some are values of every type.
func some() []Value {
	n := NewNode(1, "n1", []string{"A"}, func() Map { return Map{"x": int64(1)} })
	m := NewNode(2, "n2", nil, nil)
	r := NewRelationship(3, "r3", "T", n, m, nil)
	when, _ := From(time.Unix(0, 0))
	return []Value{nil, true, false, int64(0), int64(1), int64(math.MaxInt64), 1.0, 0.5, math.NaN(), math.Inf(1), -math.MaxFloat64, float64(math.MaxInt64), "", "a", "b",
		List{}, List{nil}, List{int64(1), "a"}, List{1.0, "a"}, Map{}, Map{"a": nil}, Map{"a": int64(1)}, Map{"b": int64(1)}, n, m, r,
		&Path{Nodes: []*Node{n}}, &Path{Nodes: []*Node{n, m}, Relationships: []*Relationship{r}}, when}
}

// TestOrderIsTotal wants an order that sorting can rely on, and keys and equality
// that fit it.
func TestOrderIsTotal(t *testing.T) {
	all := some()
	for _, a := range all {
		for _, b := range all {
			if Order(a, b) != -Order(b, a) {
				t.Errorf("%s and %s: %d, %d", Format(a), Format(b), Order(a, b), Order(b, a))
			}
			sameKey := string(AppendKey(nil, a)) == string(AppendKey(nil, b))
			if sameKey != (Order(a, b) == 0) {
				t.Errorf("%s and %s: same key %v, order %d", Format(a), Format(b), sameKey, Order(a, b))
			}
			if Equal(a, b) == True && !sameKey {
				t.Errorf("%s and %s are equal and have different keys", Format(a), Format(b))
			}
			if Equal(a, b) != Equal(b, a) {
				t.Errorf("%s = %s depends on the side", Format(a), Format(b))
			}
			for _, c := range all {
				if Order(a, b) <= 0 && Order(b, c) <= 0 && Order(a, c) > 0 {
					t.Errorf("%s, %s, %s are in no order", Format(a), Format(b), Format(c))
				}
			}
		}
	}
}

func TestLargeNumbersCompareExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		i := int64(r.Uint64())
		f := float64(i)
		c, ok := compareNumbers(i, f)
		var want int
		switch {
		case f >= math.MaxInt64:
			want = -1
		default:
			want = sign(i < int64(f), i > int64(f))
		}
		if !ok || c != want {
			t.Fatalf("%d and %g: got %d, want %d", i, f, c, want)
		}
	}
}

func TestFormat(t *testing.T) {
	n := NewNode(1, "n1", []string{"A", "odd name"}, func() Map { return Map{"b": "it's", "a": List{1.0, nil}} })
	for want, v := range map[string]Value{
		"(:A:`odd name` {a: [1.0, null], b: 'it\\'s'})": n,
		"1.0E20": 1e20, "-0.001": -0.001, "1.0E-4": 1e-4, "1234567.0": 1234567.0, "NaN": math.NaN(), "'1970-01-01T00:00Z'": must(From(time.Unix(0, 0))),
		"{`a b`: 'x\\ny'}": Map{"a b": "x\ny"},
	} {
		if got := Format(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func must(v Value, err error) Value {
	if err != nil {
		panic(err)
	}
	return v
}

func TestFrom(t *testing.T) {
	type own struct {
		N uint64 `json:"n"`
	}
	for want, v := range map[string]any{
		"1": uint16(1), "'::1'": netip.IPv6Loopback(), "['a']": []string{"a"}, "[1, {x: 2.5}]": []any{json.Number("1"), map[string]any{"x": json.Number("2.5")}},
		"{n: 9007199254740993}": own{9007199254740993}, "null": nil, "['10.0.0.1']": []netip.Addr{netip.MustParseAddr("10.0.0.1")},
	} {
		got, err := From(v)
		if err != nil || Format(got) != want {
			t.Errorf("%v: got %s, %v, want %s", v, Format(got), err, want)
		}
	}
	deep := any(nil)
	for range MaxDepth + 1 {
		deep = []any{deep}
	}
	if _, err := From(deep); err == nil {
		t.Error("a value that is nested too deep was taken")
	}
	if _, err := From(json.Number("1e999")); err == nil {
		t.Error("a number that is too large was taken")
	}
}

func TestSizeGivesUp(t *testing.T) {
	list := List{int64(1)}
	for range 200 {
		list = List{list, list} // 2^200 if it were walked through
	}
	if _, ok := Size(list, 1<<20); ok {
		t.Error("a list of 2^200 elements fits into a megabyte")
	}
	if n, ok := Size(List{"abc", nil}, 1<<20); !ok || n < 3*word {
		t.Errorf("got %d, %v", n, ok)
	}
}
