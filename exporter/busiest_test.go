package exporter

import (
	"slices"
	"testing"

	"cassini/model"
)

func TestBusiest(t *testing.T) {
	views := []model.DependencyView{
		view("c", "s", model.Counters{Connections: 5}),
		view("b", "s", model.Counters{Connections: 1, Failed: 8}),
		view("a", "s", model.Counters{Connections: 5}),
		view("c", "s", model.Counters{Connections: 1}),
	}
	for _, tc := range []struct {
		limit, dropped int
		want           []string
	}{
		{3, 0, []string{"b", "c", "a"}}, // c's two views are one series: 6
		{2, 1, []string{"b", "c"}},
		{0, 3, nil},
	} {
		shown, dropped := busiest(merge(views), tc.limit)
		var got []string
		for _, d := range shown {
			got = append(got, d.client)
		}
		if !slices.Equal(got, tc.want) || dropped != tc.dropped {
			t.Errorf("limit %d: got %v and %d dropped, want %v and %d", tc.limit, got, dropped, tc.want, tc.dropped)
		}
	}
}

func TestFailuresAddUp(t *testing.T) {
	for _, c := range []model.Counters{
		{},
		{Failed: 10, Refused: 1, TimedOut: 2, Unreachable: 3, Aborted: 4},
		{Failed: 12, Refused: 1, TimedOut: 2, Unreachable: 3, Aborted: 4},
	} {
		var sum uint64
		for _, f := range failures(c) {
			sum += f.count
		}
		if sum != c.Failed {
			t.Errorf("reasons of %+v add up to %d", c, sum)
		}
	}
}

func TestMergeKeepsLabelsDistinct(t *testing.T) {
	list := merge([]model.DependencyView{view("a\xff", "s", model.Counters{Connections: 1}), view("a\xfe", "s", model.Counters{Connections: 2})})
	if len(list) != 1 || list[0].Connections != 3 {
		t.Errorf("labels that are equal once valid must be one series, got %+v", list)
	}
}
