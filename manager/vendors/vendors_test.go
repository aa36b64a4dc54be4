package vendors

import (
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for mac, want := range map[string]string{
		"00:00:0c:12:34:56": "Cisco Systems, Inc",
		"00-1B-FC-00-00-01": "ASUSTek COMPUTER INC.",
		"00:00:00:00:00:01": "XEROX CORPORATION",
		"02:00:0c:00:00:01": "", // locally administered
		"52:54:00:12:34:56": "", // QEMU's: likewise
		"not an address":    "",
		"00:00:0c":          "",
		"":                  "",
	} {
		if got := Of(mac); got != want {
			t.Errorf("%s: %q, want %q", mac, got, want)
		}
	}
}

// Each assignment is found again, and those in smaller blocks before the larger.
func TestEveryAssignment(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(registry, "\n"), "\n")
	if len(lines) < 50_000 || !slices.IsSorted(lines) {
		t.Fatalf("%d assignments, sorted: %v", len(lines), slices.IsSorted(lines))
	}
	sizes := map[int]int{}
	for _, line := range lines {
		prefix, name, _ := strings.Cut(line, " ")
		sizes[len(prefix)]++
		if got, ok := assigned(prefix); !ok || got != name || name == "" {
			t.Fatalf("%s: %q, want %q", prefix, got, name)
		}
	}
	if len(sizes) != 3 || sizes[6] == 0 || sizes[7] == 0 || sizes[9] == 0 {
		t.Errorf("by digits: %v", sizes)
	}
	for _, prefix := range []string{"fffffe", "00000", "zzzzzz"} {
		if name, ok := assigned(prefix); ok {
			t.Errorf("%s is given to %s", prefix, name)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	for b.Loop() {
		Of("d8:5e:d3:00:00:01")
	}
}
