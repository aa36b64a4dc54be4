package pcap_test

import (
	"strconv"

	"cassini/model"
)

func (o *oracle) dot3(subtype uint8, f field) bool {
	const p = "lldp.ieee.802_3."
	switch subtype {
	case 1:
		o.macPHY(f)
	case 2:
		o.Power = powerSays(f)
	case 3:
		if o.Aggregation == nil { // that of 802.1 counts
			o.Aggregation = &model.Aggregation{Capable: f.is(p + "aggregation_status.cap"),
				Enabled: f.is(p + "aggregation_status.enabled"), Port: uint32(f.number(p + "aggregated_port_id"))}
		}
	case 4:
		o.MTU = uint32(f.number(p + "max_frame_size"))
	default:
		return false
	}
	return true
}

func (o *oracle) macPHY(f field) {
	const p, caps = "lldp.ieee.802_3.", "lldp.ieee.802_3.pmd_auto_neg_advertised_caps."
	m := &model.MACPHY{Supported: f.is(p + "mac_phy_auto_neg_status.supported"), Enabled: f.is(p + "mac_phy_auto_neg_status.enabled")}
	m.Advertised = f.names(caps+"other", "other", caps+"10base_t", "10base-t", caps+"10base_tfd", "10base-t-full",
		caps+"100base_t4", "100base-t4", caps+"100base_tx", "100base-tx", caps+"100base_txfd", "100base-tx-full",
		caps+"100base_t2", "100base-t2", caps+"100base_t2fd", "100base-t2-full", caps+"fdx_pause", "pause",
		caps+"fdx_apause", "asymmetric-pause", caps+"fdx_spause", "symmetric-pause", caps+"fdx_bpause", "asymmetric-symmetric-pause",
		caps+"1000base_x", "1000base-x", caps+"1000base_xfd", "1000base-x-full", caps+"1000base_t", "1000base-t", caps+"1000base_tfd", "1000base-t-full")
	m.MAUType = uint16(f.number(p + "pmd_mau_type"))
	m.MAU = ownWord // compared by number
	o.MACPHY = m
}

// ownWord stands where tshark has words of its own for a number that is compared.
const ownWord = "?"

func powerSays(f field) *model.Power {
	const p = "lldp.ieee.802_3."
	w := &model.Power{Class: "pd", Supported: f.is(p + "mdi_power_support.supported"), Enabled: f.is(p + "mdi_power_support.enabled"),
		PairControl: f.is(p + "mdi_power_support.pse_pairs")}
	if f.is(p + "mdi_power_support.port_class") {
		w.Class = "pse"
	}
	switch pair := f.number(p + "mdi_pse_pair"); pair {
	case 0:
	case 1, 2:
		w.Pairs = []string{1: "signal", 2: "spare"}[pair]
	default:
		w.Pairs = strconv.Itoa(int(pair))
	}
	if class := f.number(p + "mdi_power_class"); class >= 1 && class <= 5 {
		w.PowerClass = uint8(class - 1)
	}
	if _, ok := f.first(p + "mdi_power_type"); ok {
		kind := f.number(p + "mdi_power_type")
		w.Type = uint8([]int{2, 2, 1, 1}[kind])
		w.Source = sources[kind%2][f.number(p+"mdi_power_source")]
		w.Priority = priorities[f.number(p+"mdi_power_priority")&3]
		w.RequestedMW = uint32(f.number(p+"mdi_pde_requested")) * 100
		w.AllocatedMW = uint32(f.number(p+"mdi_pse_allocated")) * 100
	}
	if _, ok := f.first(p + "bt_power_status"); ok {
		w.BT = extensionSays(f)
	}
	return w
}

var (
	sources    = [][]string{{"unknown", "primary", "backup", "reserved"}, {"unknown", "pse", "local", "pse-and-local"}}
	priorities = []string{"unknown", "critical", "high", "low"}
)

func extensionSays(f field) *model.PowerBT {
	const p = "lldp.ieee.802_3.bt_"
	n := func(name string) uint8 { return uint8(f.number(p + name)) }
	mw := func(name string) uint32 { return uint32(f.number(p+name)) * 100 }
	return &model.PowerBT{
		RequestedModeAMW: mw("ds_pd_requested_power_value_mode_a"), RequestedModeBMW: mw("ds_pd_requested_power_value_mode_b"),
		AllocatedAltAMW: mw("ds_pse_allocated_power_value_alt_a"), AllocatedAltBMW: mw("ds_pse_allocated_power_value_alt_b"),
		Powering: n("pse_powering_status"), Powered: n("pd_powered_status"), Pairs: n("pse_power_pairs_ext"),
		ClassModeA: n("ds_pwr_class_ext_a"), ClassModeB: n("ds_pwr_class_ext_b"), Class: n("pwr_class_ext_"),
		Type: n("power_type_ext"), Overload: n("system_setup")&1 != 0, MaximumMW: mw("pse_maximum_available_power_value"),
		Autoclass: n("autoclass") & 7, PowerDown: n("power_down_request") == 0x1d, PowerDownSeconds: uint32(f.number(p + "power_down_time")),
	}
}
