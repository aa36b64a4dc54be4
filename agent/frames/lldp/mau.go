package lldp

// mauNames are the types of medium attachment units: IANA's maintained list that
// RFC 4836 began (dot3MauType). Those without a suffix know no duplex mode, or
// only full.
var mauNames = [...]string{
	1: "aui", "10base-5", "foirl", "10base-2", "10base-t", "10base-fp", "10base-fb", "10base-fl", "10broad36",
	"10base-t-half", "10base-t-full", "10base-fl-half", "10base-fl-full",
	"100base-t4", "100base-tx-half", "100base-tx-full", "100base-fx-half", "100base-fx-full",
	"100base-t2-half", "100base-t2-full",
	"1000base-x-half", "1000base-x-full", "1000base-lx-half", "1000base-lx-full", "1000base-sx-half", "1000base-sx-full",
	"1000base-cx-half", "1000base-cx-full", "1000base-t-half", "1000base-t-full",
	"10gbase-x", "10gbase-lx4", "10gbase-r", "10gbase-er", "10gbase-lr", "10gbase-sr",
	"10gbase-w", "10gbase-ew", "10gbase-lw", "10gbase-sw",
	41: "10gbase-cx4", "2base-tl", "10pass-ts", "100base-bx10-d", "100base-bx10-u", "100base-lx10",
	"1000base-bx10-d", "1000base-bx10-u", "1000base-lx10",
	"1000base-px10-d", "1000base-px10-u", "1000base-px20-d", "1000base-px20-u",
	54: "10gbase-t", "10gbase-lrm", "1000base-kx", "10gbase-kx4", "10gbase-kr",
	59: "10g/1gbase-prx-d1", "10g/1gbase-prx-d2", "10g/1gbase-prx-d3", "10g/1gbase-prx-u1", "10g/1gbase-prx-u2", "10g/1gbase-prx-u3",
	65: "10gbase-pr-d1", "10gbase-pr-d2", "10gbase-pr-d3", "10gbase-pr-u1", "10gbase-pr-u3",
	70: "40gbase-kr4", "40gbase-cr4", "40gbase-sr4", "40gbase-fr", "40gbase-lr4",
	75: "100gbase-cr10", "100gbase-sr10", "100gbase-lr4", "100gbase-er4",
	79: "1000base-t1", "1000base-px30-d", "1000base-px30-u", "1000base-px40-d", "1000base-px40-u",
	84: "10g/1gbase-prx-d4", "10g/1gbase-prx-u4", "10gbase-pr-d4", "10gbase-pr-u4",
	88: "25gbase-cr", "25gbase-cr-s", "25gbase-kr", "25gbase-kr-s", "25gbase-r", "25gbase-sr", "25gbase-t",
	95: "40gbase-er4", "40gbase-r", "40gbase-t", "100gbase-cr4", "100gbase-kr4", "100gbase-kp4", "100gbase-r", "100gbase-sr4",
}

// mauName is empty for a type that is not known.
func mauName(n uint16) string {
	if int(n) < len(mauNames) {
		return mauNames[n]
	}
	return ""
}
