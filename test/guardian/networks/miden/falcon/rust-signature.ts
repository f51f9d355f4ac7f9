/**
 * A signature made by the Rust library: `DETERMINISTIC_SIGNATURE` of the tests of 0xMiden/crypto
 * (falcon512_poseidon2, MIT or Apache-2.0).
 */
import type { Word } from '../../../../../src/guardian/networks/miden/word.ts';

const BASE64 = [
  'uQFz8ihUTsCFESQWed3SwBJz955l9Nr0Q7SKnBR/5ZdkE5oqjROjXvrZU/1IYqfX5DmVadPvT+aO5FYTjvsji/Zf',
  'dYzryppy3Q2Rk4NlUC0TizOpGa8zR2Kzob7ccTOWptMWhxZktUqKeYz+MJW4Ekx/2LMEM3ckEkMNkDCMY8mkFnY7',
  'KrmijUwfuvI1DwezgyfRquaNgfAcBkm62kYiMdT/lYGG7tM6xrYJh6kibg78x8mn2v+hvoxgqwyiASREm9wRnI96',
  'Me6kWeNJttsLxkDnSWseuk52GberSIm176zYa+FGQQ5ijC8iVVo1xZWyLrEpUdS2vPLalMu9yGjK5yColETF94CO',
  'G3scP5GNZ2Jfl/jakbMNMGGTjZtMewuvQOvQUOTNNtnMI4uKcU6UOpU0E1y6xr7MjWaduDDsNqPZ8qFZ1/qMGVO4',
  'xuUEN5p8swjxmeDuyZSpsBsdg8siuEi1p1Ppr9mVZOmjwmSlbJy1Esohjd45Zr8lzSdKHsNQ+lOOilJYWC62607B',
  'LOiPi9Opbz3p/G85Bfxp46r6nqFFyO4r5ZEcVZPLssW8OEPc3WZn+9SJb2Pdn0pczrSbNxoyS3fxJg6ZsIxEzqrZ',
  '6M2V7yFKkZZvdZYakz6/U8KRq7oGH2/10hg3MZVc4fEWkYBsyTXAvNIcWV6OAIOxFgysVcBRfPVJI3ee7j+1uswq',
  'IITscDf6fBF0VFJGQqsQ+VScBsYdLUiKbSL3Gp4hEslGYWlB1jeXnPrH2FXikQUyDca//baWlFafF4JZ0JQZp4H7',
  '0mxWZz36IGXOANgweGc6+006Wu5BAAAAAAAAAAAAAAAACZt9uUBU4V1fCrJkxqC0bkI1KdTMqqDtp6B6qKhEXbQC',
  '/1S/MJ1bOeTJwEuRPmivh5wJgHoB0kmWIsg75GNZKDYZ2Vb1qrsc4JBm0OG0ajy4kB3V3qYt1IcYpMlTGrUkgiat',
  'bWHrwBor+J0kPrZ2HOogBquz4B6qS1Bl5N3D7pCqBjltqymd6gBn889pTKRTIxtJhrHxJmJWEMg9vjVzMZ2pj213',
  'xG2XHzZeFvaupKKtPEoS3KZ6sCCma2TlIKG50ggx5j241MUpcu/WcrEJJ/7FGJdWjRnOyJKnJB3gQo17SfYxUM9t',
  'oEj5RqQK074PaJO62Mr7G/b6aDlbdxNirfdGVQgNRkV4NBVXcDILS9WnTypqOvpNDIWubHFSERFifmGsV9rdT1Rx',
  'IZQ+aZZCmJkn7WBLUQE4BmJcinLyvSgmxXZggpHlipksMVl40afNyhxBrtt9Yx9YMP7jIliKijyQapSe+Jq1NQMt',
  '6aREUM8q0Z2fgF7xN6bnc4IphBOH4XgkZczSoVTFPwUksgTl7Ssx1FDbFKy2vQnBcEk/JZSUuMlgUz4guvk2Z9Bw',
  '2NjZYUYEEiq2dRXezKikewG9kUZQ2sCIURaficJG9ruWMjaay9ZJrs0swGmKwG3uFUDotdqBfVyRV0Deqbc5Gdw4',
  'XF9rgHUiWLHr93P40IvXzoWZkoUS28JVdqKUIUYuFa9W5rbpH3+8yAIVywRSE7lPw5XP6pHwm0oVXs8mioh2LVXv',
  'I9J4N7dYTxpi18ZdT4kbAP2DNupZkx4AoVdFdKucCzXNlEJqyuDqm+GVDSj+2UXo1Jj9d1CJzcRiAKM5kOQfcI2F',
  'NsybELL2LIrk2ssxRgq1B90eiQ6wGYWuGJK4vzYjjJotnubzBBoXKdIVdSOISmHlTNnz1iACQG00815QDO4UJZ2f',
  'MG4V85rvKlsi6p44wtryafR9QPENZixOFzgXwWxh2Sy6A2Jebl6BgBMDxg2BLnVkXFIyGcNTJ+dXhu5sFqVlZhXI',
  'H/e9L/aAZQSJSgsRQcB0EKUv9ZR6S/vBL6wc5ZCBJ8+cJLRJZlxtQZZWFpBFBIC44WHKVllnkKUdxRyLVr+heonr',
  '4LiCnfLhYMJ3Gd5CYgsiGpPQx8M65l0xNN2DAmAHQPLmV7KNmic4bDacbQpbWCv3WNlUaiRy8ccP0HqgQvgECL0F',
  'vRmpa6/k',
].join('');

export const RUST_SIGNATURE = {
  message: [100n, 97n, 116n, 97n] satisfies Word,
  commitment: '0x24c268327e0ead6a11a700e40abd0a280e737fc45994c17f662dcf0ec0fa8720',
  bytes: Uint8Array.from(atob(BASE64), (character) => character.charCodeAt(0)),
};
