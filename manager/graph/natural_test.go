package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNatural(t *testing.T) {
	inOrder := []string{"", "a", "a1b", "a2", "a10", "a10b", "a10b1", "ab", "b007", "b70", "eth0", "eth0/1", "eth0/2", "eth0/10", "eth1"}
	shuffled := slices.Clone(inOrder)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if slices.SortFunc(shuffled, natural); !slices.Equal(shuffled, inOrder) {
		t.Errorf("%q", shuffled)
	}
	for _, same := range [][2]string{{"a07b", "a7b"}, {"x", "x"}} {
		if natural(same[0], same[1]) != 0 {
			t.Errorf("%v differ", same)
		}
	}
}

// TestNaturalSkipsWhatIsTheSame compares names of few letters with and without a beginning
// that they share.
func TestNaturalSkipsWhatIsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	random := func() string {
		b := make([]byte, r.IntN(6))
		for i := range b {
			b[i] = "012ab/"[r.IntN(6)]
		}
		return string(b)
	}
	for range 200_000 {
		a, b := random(), random()
		if got, back := natural(a, b), natural(b, a); got != -back {
			t.Fatalf("%q and %q: %d, the other way round %d", a, b, got, back)
		}
		if got, want := natural("x"+a, "x"+b), natural(a, b); got != want {
			t.Fatalf("%q and %q: %d behind the same letter, else %d", a, b, got, want)
		}
	}
}
