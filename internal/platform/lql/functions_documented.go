package lql

import (
	"math"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// documentedFunctions are the functions that Lytics documents for filters, but that its
// open engine does not have.
var documentedFunctions = map[string]*function{
	"geodistance": {min: 3, max: 3, result: of(value.Bool), prepare: geoDistance},
	"timewindow":  {min: 3, max: 3, result: of(value.Bool), prepare: timeWindow},
}

const earthRadiusKilometers = 6371.0088

// geoDistance is true if a location is within a number of kilometers of a point.
func geoDistance(args []node) (functionEval, string) {
	at, ok := literalText(args[1])
	center, ok2 := parseCoordinates(at)
	radius, ok3 := args[2].(literal)
	if !ok || !ok2 || !ok3 || radius.v.Kind() != value.Number || value.Compare(radius.v, value.OfInt(0)) < 0 {
		return nil, `write geodistance(field, "latitude,longitude", kilometers)`
	}
	kilometers := toFloat(radius.v)
	return func(_ *Record, args []value.Value) (value.Value, bool) {
		here, ok := parseCoordinates(firstText(args[0]))
		if !ok {
			return no()
		}
		return boolean(distance(center, here) <= kilometers)
	}, ""
}

// coordinates are the latitude and the longitude in degrees.
type coordinates [2]float64

func parseCoordinates(s string) (coordinates, bool) {
	latitude, longitude, ok := strings.Cut(s, ",")
	lat, _ := value.ParseNumber(strings.TrimSpace(latitude))
	lon, _ := value.ParseNumber(strings.TrimSpace(longitude))
	c := coordinates{toFloat(lat), toFloat(lon)}
	return c, ok && math.Abs(c[0]) <= 90 && math.Abs(c[1]) <= 180
}

// distance is the great-circle distance in kilometers.
func distance(a, b coordinates) float64 {
	radians := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	halfSine := func(x float64) float64 { s := math.Sin(radians(x) / 2); return s * s }
	h := halfSine(b[0]-a[0]) + math.Cos(radians(a[0]))*math.Cos(radians(b[0]))*halfSine(b[1]-a[1])
	return 2 * earthRadiusKilometers * math.Asin(min(1, math.Sqrt(h)))
}

// The counts and numbers of days that timewindow accepts.
var (
	windowCounts = []int64{1, 5, 10, 25, 50, 100}
	windowDays   = []int64{7, 30}
)

// timeWindow is true if a list of times has at least count times in the last days.
func timeWindow(args []node) (functionEval, string) {
	var numbers [2]int64
	for i, allowed := range [][]int64{windowCounts, windowDays} {
		l, ok := args[i+1].(literal)
		n, isInt := l.v.Int()
		if !ok || !isInt || !slices.Contains(allowed, n) {
			return nil, "write timewindow(field, count, days), with a count of 1, 5, 10, 25, 50 or 100 and 7 or 30 days"
		}
		numbers[i] = n
	}
	return func(r *Record, args []value.Value) (value.Value, bool) {
		if args[0].Kind() != value.List {
			return no()
		}
		to := value.OfTime(r.Now)
		from := value.OfTime(r.Now.AddDate(0, 0, -int(numbers[1])))
		n := int64(0)
		for _, e := range args[0].List() {
			if e.Kind() == value.Time && value.Compare(e, from) > 0 && value.Compare(e, to) <= 0 {
				n++
			}
		}
		return boolean(n >= numbers[0])
	}, ""
}
