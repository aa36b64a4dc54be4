package main

import (
	"strings"
	"testing"
)

func TestReadsTheKernelsTables(t *testing.T) {
	dev := []byte("Inter-|   Receive\n face |bytes\n    lo: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n  eth0: 5 6 0 0 0 0 0 0 70 8 0 0 0 0 0 0\n")
	if size, packets, err := transmitted(dev); size != 70 || packets != 8 || err != nil {
		t.Errorf("%d bytes, %d packets, %v", size, packets, err)
	}
	snmp := []byte("Tcp: OutSegs\nTcp: 9\nUdp: InDatagrams OutDatagrams\nUdp: 1 2\nUdpLite: OutDatagrams\nUdpLite: 3\n")
	if n, err := datagrams(snmp); n != 2 || err != nil {
		t.Errorf("%d datagrams, %v", n, err)
	}
	if _, _, err := transmitted(nil); err == nil {
		t.Error("no eth0 is no error")
	}
}

func TestQuantiles(t *testing.T) {
	b := beats{spacing: make(histogram), lateness: make(histogram)}
	err := b.take(strings.NewReader(`# HELP
cassini_heartbeat_spacing_seconds_bucket{from="a",ring="r",le="1.024"} 998
cassini_heartbeat_spacing_seconds_bucket{from="a",ring="r",le="2.048"} 999
cassini_heartbeat_spacing_seconds_bucket{from="a",ring="r",le="+Inf"} 1000
cassini_heartbeat_lateness_seconds_bucket{from="a",ring="r",le="+Inf"} 5
cassini_heartbeat_expiries_total{from="a",ring="r"} 3
`))
	if err != nil || b.expiries != 3 || b.lateness.total() != 5 || b.spacing.total() != 1000 {
		t.Fatalf("%+v, %v", b, err)
	}
	if half, most := b.spacing.quantile(0.5), b.spacing.quantile(0.999); half != 1.024 || most != 2.048 {
		t.Errorf("quantiles %v, %v", half, most)
	}
	if m := median([]float64{3, 1, 2, 10}); m != 2.5 {
		t.Errorf("median %v", m)
	}
}
