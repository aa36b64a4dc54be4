package exporter

import (
	"math"
	"testing"

	"cassini/model"
)

// fareFixture has a bucket below all bounds, one that both histograms have, a wide one,
// and one without an end.
func fareFixture() model.Histogram {
	return model.MakeHistogram(func(yield func(model.Bucket, uint64) bool) {
		for i, b := range []model.Bucket{{High: 16}, {Low: 1 << 16, High: 1 << 17}, {Low: 1 << 22}, {Low: 1 << 36, High: 1 << 38}} {
			if !yield(b, uint64(i+1)) {
				return
			}
		}
	})
}

func TestFares(t *testing.T) {
	f := newRTTs()
	d := f.distribution(fareFixture())
	if d.count() != 10 || d.zero != 1 || d.classic[0] != 1 || d.classic[13] != 2 {
		t.Errorf("%+v", d)
	}
	if beyond := d.classic[len(f.bounds)]; beyond != 3+4 {
		t.Errorf("%d beyond all bounds, want 7", beyond)
	}
	if d.native[-3] != 2 || d.native[3] != 3 { // 2^17 us are 0.13 s; from 4.2 s on
		t.Errorf("native %v", d.native)
	}
	if want := 8e-6 + 2*.098304 + 3*6.291456 + 4*171798.691840; math.Abs(d.sum-want) > 1e-6 {
		t.Errorf("sum %v, want %v", d.sum, want)
	}
}
