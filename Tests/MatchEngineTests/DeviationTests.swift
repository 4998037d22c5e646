import RuleModel
import Testing

@testable import MatchEngine

/// The scores of A3, with numbers computed by Python's `statistics` and by hand.
@Suite("Scores")
struct DeviationTests {
    private let baseline = Baseline([10, 12, 11, 9, 10, 11, 10, 12])

    private func deviation(
        _ function: ScoreFunction, _ value: Double, parameter: Double? = nil,
        minimumSpread: Double? = nil, of other: [Double]? = nil
    ) -> Deviation? {
        ScoreUse(function: function, measure: 0, parameter: parameter).deviation(
            of: value, from: other.map { Baseline($0) } ?? baseline, minimumSpread: minimumSpread)
    }

    private func isClose(_ left: Double?, _ right: Double) -> Bool {
        left.map { abs($0 - right) < 1e-9 } ?? false
    }

    @Test("A3 the worked example: 12.82 by the median, 8.84 by the mean, 1.90 as a ratio")
    func workedExample() {
        let robust = deviation(.robustZ, 20)
        #expect(robust?.middle == 10.5)
        #expect(robust?.spread == 0.5)
        #expect(isClose(robust?.score, 0.6745 * 9.5 / 0.5))
        let z = deviation(.z, 20)
        #expect(z?.middle == 10.625)
        #expect(isClose(z?.spread, 1.0606601717798212))
        #expect(isClose(z?.score, 8.838834764831844))
        let ratio = deviation(.ratio, 20)
        #expect(isClose(ratio?.score, 20 / 10.5))
        #expect(ratio?.middle == 10.5)
        let ewma = deviation(.ewma, 20, parameter: 0.3)
        #expect(isClose(ewma?.middle, 10.7959804))
        #expect(isClose(ewma?.spread, 0.988455867915123))
        #expect(isClose(ewma?.score, 9.311512935234386))
    }

    @Test("A3 a spread below the least one is replaced by it, in every score that has one")
    func leastSpread() {
        let flat: [Double] = [200, 200, 200]
        for function in [ScoreFunction.robustZ, .z, .ewma] {
            #expect(deviation(function, 204, parameter: 0.5, of: flat)?.spread == 2)
            #expect(deviation(function, 1, parameter: 0.5, of: [0, 0])?.spread == 1)
            #expect(
                deviation(function, 204, parameter: 0.5, minimumSpread: 8, of: flat)?.spread == 8)
        }
        #expect(deviation(.z, 204, of: flat)?.score == 2)
        #expect(deviation(.z, 204, of: [200])?.spread == 2)
    }

    @Test("A3 below the baseline scores are negative, and a ratio to 0 is none")
    func signs() {
        #expect(isClose(deviation(.robustZ, 1)?.score, -0.6745 * 9.5 / 0.5))
        #expect(deviation(.ratio, 5, of: [0, 0, 4]) == nil)
        #expect(deviation(.z, 1e308, of: [-1e308]) == nil)
    }
}
